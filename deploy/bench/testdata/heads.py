"""Reads the heads of all images of a bucket as CVAT's HeaderFirstDownloader
does (cloud_provider.py): 2 KB, 16 KB, 64 KB, then the whole object, each tried
with Pillow. Prints what it took as JSON; the argument is the endpoint."""

import io
import json
import resource
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from PIL import Image, ImageOps  # noqa: F401

warnings.simplefilter("ignore")
THREADS = 8  # max(min(n // 4, cpus * 4), 4) with 2 processors
client = boto3.client(
    "s3", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="key", aws_secret_access_key="secret",
    config=Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}))


def size_of(data):
    try:
        with Image.open(io.BytesIO(data)) as image:
            turned = image.getexif().get(0x0112, 1) > 4
            return image.size[::-1] if turned else image.size
    except Exception:
        return None


def head(item):
    key, total = item
    data, requests, got = b"", 0, 0
    for stop in (2048, 16384, 65536, None):
        if stop is None or not data:
            start = 0
        else:
            start = len(data) - 1  # each range has one byte again
        arguments = {} if stop is None else {"Range": f"bytes={start}-{stop - 1}"}
        part = client.get_object(Bucket="b", Key=key, **arguments)["Body"].read()
        requests, got = requests + 1, got + len(part)
        data = part if stop is None else data[:start] + part
        if size_of(data) is not None:
            return 1, requests, got
        if stop is None or len(data) >= total:
            break
    return 0, requests, got


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


begin = processor_seconds()
objects = []
for page in client.get_paginator("list_objects_v2").paginate(Bucket="b", Prefix="images/"):
    objects += [(o["Key"], o["Size"]) for o in page.get("Contents", [])]
with ThreadPoolExecutor(THREADS) as pool:
    rows = list(pool.map(head, objects))
print(json.dumps({
    "Images": sum(r[0] for r in rows), "Requests": sum(r[1] for r in rows),
    "Bytes": sum(r[2] for r in rows), "Seconds": processor_seconds() - begin}))
