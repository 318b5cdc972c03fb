# Writes the Parquet files of this directory, with pyarrow: a report of
# 300 rows in the schema of S3 Inventory, once for each way to write it.
# parquet_test.go expects these rows.
import datetime

import pyarrow as pa
import pyarrow.parquet as pq

text = pa.string()
schema = pa.schema([
    pa.field("bucket", text, nullable=False), pa.field("key", text, nullable=False), pa.field("version_id", text),
    pa.field("is_latest", pa.bool_()), pa.field("is_delete_marker", pa.bool_()), pa.field("size", pa.int64()),
    pa.field("last_modified_date", pa.timestamp("ms")), pa.field("e_tag", text), pa.field("storage_class", text),
])


def row(i):
    deleted = i % 17 == 0
    return {
        "bucket": "images", "key": f"dir {i // 50}/é+{i}.jpg", "version_id": f"v{i}",
        "is_latest": i % 5 != 0, "is_delete_marker": deleted, "size": None if deleted else i * 1000003,
        "last_modified_date": datetime.datetime(2026, 1, 1), "e_tag": None if deleted else f"{i:032x}",
        "storage_class": "STANDARD",
    }


table = pa.Table.from_pylist([row(i) for i in range(300)], schema)
small = pa.schema([f for f in schema if f.name in ("bucket", "key", "size")])
for name, options in {
    "snappy": dict(compression="snappy"),
    "gzip-plain": dict(compression="gzip", use_dictionary=False),
    "zstd-v2": dict(compression="zstd", data_page_version="2.0"),
    "none-v2-rle": dict(compression="none", data_page_version="2.0", use_dictionary=["bucket"],
                        column_encoding={"is_latest": "RLE", "is_delete_marker": "RLE"}),
    "delta": dict(compression="none", use_dictionary=False, column_encoding={"key": "DELTA_BYTE_ARRAY"}),
    "lz4": dict(compression="lz4"),
}.items():
    pq.write_table(table, f"{name}.parquet", row_group_size=120, data_page_size=1024, **options)
present = pa.Table.from_pylist([row(i) for i in range(300) if i % 17], schema)
pq.write_table(present.select(small.names), "small.parquet", row_group_size=1000)
for name, options in {"tiny": dict(compression="snappy"), "tiny-v2": dict(compression="gzip", data_page_version="2.0")}.items():
    pq.write_table(table.slice(3, 8).select(["bucket", "key", "is_latest", "size"]), f"{name}.parquet", store_schema=False,
                   write_statistics=False, **options)  # for fuzzing
pq.write_table(table.select(["bucket", "key"]), "no-size.parquet")
