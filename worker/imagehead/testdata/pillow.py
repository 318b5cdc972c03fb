"""Writes images with Pillow and prints how it opens them.

pillow.py generate FOLDER   writes images of every format, mode, orientation and odd size
pillow.py measure           reads paths from standard input

Each line of the output is a JSON object: path, then width and height as CVAT displays them,
or the error. CVAT turns images with exif_transpose (cvat/apps/engine/media_extractors.py).
"""
import io
import json
import os
import sys
import warnings

from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")
ImageFile.LOAD_TRUNCATED_IMAGES = True  # as CVAT's server (cvat/apps/engine/cloud_provider.py)

MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"]
SIZES = [(1, 1), (17, 5), (3, 64), (255, 257)]
# The options matter for the head: what is compressed, where the metadata is, how many images.
FORMATS = {
    "avif": [{}],
    "bmp": [{}],
    "dds": [{}, {"pixel_format": "DXT1"}, {"pixel_format": "DXT5"}, {"pixel_format": "BC5"}],
    "dib": [{}],
    "eps": [{}],
    "gif": [{}, {"interlace": 0}],
    "icns": [{}],
    "ico": [{}, {"bitmap_format": "bmp"}, {"sizes": [(16, 16), (32, 32)]}],
    "jpeg": [{}, {"progressive": True}, {"subsampling": 0}],
    "jp2": [{}, {"no_jp2": True}, {"irreversible": True}],
    "mpo": [{"save_all": True}],
    "pcx": [{}],
    "png": [{}, {"interlace": 1}],
    "ppm": [{}],
    "pfm": [{}],
    "qoi": [{}],
    "sgi": [{}, {"bpc": 2}],
    "tga": [{}, {"compression": "tga_rle"}, {"orientation": 1}],
    "tiff": [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}],
    "webp": [{}, {"lossless": True}],
    "xbm": [{}],
}
NAMES = {"JPEG": "jpeg", "mpo": "mpo", "jp2": "JPEG2000", "pfm": "PPM", "tiff": "TIFF"}
WITH_EXIF = ["avif", "jpeg", "png", "tiff", "webp", "mpo"]


def generate(folder):
    for extension, variants in FORMATS.items():
        for mode in MODES:
            for size in SIZES:
                for number, options in enumerate(variants):
                    write(folder, extension, mode, size, options, f"v{number}")
    for extension in WITH_EXIF:
        for orientation in list(range(10)):
            for order in "<", ">":
                exif = Image.Exif()
                exif.endian = order
                exif[274] = orientation
                exif[271] = "maker"
                name = f"exif{orientation}{'le' if order == '<' else 'be'}"
                write(folder, extension, "RGB", (40, 30), {"exif": exif.tobytes()}, name)
    for extension in "avif", "webp", "png", "gif", "tiff":
        frames = [Image.new("RGB", (21, 34), (i * 40, 0, 0)) for i in range(3)]
        path = os.path.join(folder, f"many.{extension}")
        frames[0].save(path, save_all=True, append_images=frames[1:])


def write(folder, extension, mode, size, options, name):
    """Writes one image; what Pillow cannot write does not exist."""
    path = os.path.join(folder, f"{mode.replace(';', '')}-{size[0]}x{size[1]}-{name}.{extension}")
    image = Image.new(mode, size)
    try:
        data = io.BytesIO()
        image.save(data, NAMES.get(extension, extension), **options)
    except Exception:
        return
    with open(path, "wb") as file:
        file.write(data.getvalue())


def measure(path):
    try:
        with Image.open(path) as image:
            try:
                shown = ImageOps.exif_transpose(image)
            except OSError as error:
                return {"path": path, "format": image.format, "error": "cannot draw: " + str(error)}
            return {"path": path, "format": image.format, "width": shown.width, "height": shown.height}
    except Exception as error:
        return {"path": path, "error": f"{type(error).__name__}: {error}"}


if sys.argv[1] == "generate":
    generate(sys.argv[2])
    paths = [os.path.join(sys.argv[2], name) for name in sorted(os.listdir(sys.argv[2]))]
else:
    paths = [line.rstrip("\n") for line in sys.stdin]
for path in paths:
    print(json.dumps(measure(path)))
