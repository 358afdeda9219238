from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.parser import text_string_to_metric_families

from symphainy_platform.http.worker_metrics import WorkerMetrics

ODD = 'a "quoted"} 7, \\ text'


def worker(folder, number, count):
    registry = CollectorRegistry()
    Counter("intents", "Intents.", ["intent"], registry=registry).labels(ODD).inc(count)
    Gauge("waiting", "Commits that wait.", registry=registry).set(count)
    return WorkerMetrics(registry, folder, number)


def samples(metrics):
    families = list(text_string_to_metric_families(metrics.exposed().decode()))
    assert len({family.name for family in families}) == len(families)
    return {(sample.name, *sample.labels.items()): sample.value for family in families for sample in family.samples}


def test_each_worker_tells_the_figures_of_all(tmp_path):
    first, second = worker(tmp_path, 0, 3), worker(tmp_path, 1, 5)
    second._leave()
    found = samples(first)
    for number, count in (("0", 3), ("1", 5)):
        assert found["intents_total", ("worker", number), ("intent", ODD)] == count
        assert found["waiting", ("worker", number)] == count


def test_its_own_figures_are_those_of_now_not_those_that_it_has_left(tmp_path):
    worker(tmp_path, 0, 3)._leave()
    assert samples(worker(tmp_path, 0, 4))["waiting", ("worker", "0")] == 4


def test_a_folder_that_has_gone_leaves_its_own(tmp_path):
    assert samples(worker(tmp_path / "gone", 0, 3))["waiting", ("worker", "0")] == 3
