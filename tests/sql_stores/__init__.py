"""What is one test on both stores that work by the SQL functions of Postgres."""

import pytest

pytest.register_assert_rewrite("sql_stores.contracts", "sql_stores.journeys", "sql_stores.races")
