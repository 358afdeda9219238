from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.openapi import openapi
from symphainy_platform.http.app import _router
from symphainy_platform.http.events import EventStreams
from symphainy_platform.resources import data_folder


def test_every_route_is_in_the_openapi_document_and_every_path_is_a_route():
    routes = {
        (route.path.replace(":int}", "}"), method.lower())
        for route in _router(None, EventStreams(1, 1)).routes
        for method in route.methods - {"HEAD"}
    }
    paths = openapi(load_folders([data_folder("contracts")]), "1")["paths"]
    documented = {(path.partition("#")[0], method) for path, methods in paths.items() for method in methods}
    assert routes == documented
