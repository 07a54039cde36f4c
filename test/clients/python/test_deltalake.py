"""delta-rs: tables whose commits are objects that only one writer may create."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from arro3.core import Array, DataType, Table
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake

from door import REGION, Door

WRITERS = 6
ROWS = 30


@pytest.fixture
def options(http_path: Door) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": http_path.endpoint,
        "AWS_ACCESS_KEY_ID": http_path.server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": http_path.server.secret,
        "AWS_REGION": REGION,
        "AWS_ALLOW_HTTP": "true",
        "conditional_put": "etag",
    }


def test_commits_of_many_writers_follow_one_another(
    http_path: Door, options: dict[str, str]
) -> None:
    table = f"s3://{http_path.new_bucket()}/table"
    # Whoever loses a race has lost it to a commit of another: nobody can do so more often.
    patient = CommitProperties(max_commit_retries=ROWS)

    def append(row: int) -> None:
        data = Table.from_pydict({"row": Array([row], DataType.int64())})
        write_deltalake(
            table, data, mode="append", storage_options=options, commit_properties=patient
        )

    append(0)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(append, range(1, ROWS)))

    written = DeltaTable(table, storage_options=options)
    assert written.version() == ROWS - 1
    assert rows(written) == list(range(ROWS))

    written.optimize.compact()
    written.vacuum(0, dry_run=False, enforce_retention_duration=False)
    written.create_checkpoint()
    left = DeltaTable(table, storage_options=options)
    assert (len(left.file_uris()), rows(left)) == (1, list(range(ROWS)))


def rows(table: DeltaTable) -> list[int]:
    query = QueryBuilder().register("found", table)
    found = query.execute("SELECT row FROM found ORDER BY row").read_all()
    return [value.as_py() for value in found["row"]]
