# Writes images with Pillow into the folder of the first argument, and prints
# for each what CVAT would see: the size after exif_transpose, or why Pillow
# does not open it.
import io, json, os, struct, sys, warnings, zlib
from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")
ImageFile.LOAD_TRUNCATED_IMAGES = True  # as CVAT's server does
out = sys.argv[1]

FORMATS = {
    "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF",
}
MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB",
         "HSV", "I", "I;16", "I;16B", "F"]
SIZES = [(1, 1), (37, 21), (640, 3), (5, 300), (2, 2)]


def exif_of(orientation, order="<", kind=3):
    value = struct.pack(order + "HHI", 274, kind, 1)
    value += struct.pack(order + ("H2x" if kind == 3 else "I"), orientation)
    return ((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
            + struct.pack(order + "H", 1) + value + struct.pack(order + "I", 0))


def write(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def save(name, im, fmt, **options):
    buf = io.BytesIO()
    try:
        im.save(buf, fmt, **options)
    except Exception:
        return None
    write(name, buf.getvalue())
    return buf.getvalue()


def image(mode, size):
    try:
        return Image.new(mode, size)
    except Exception:
        return None


def generate():
    for ext, fmt in FORMATS.items():
        for mode in MODES:
            for w, h in SIZES:
                im = image(mode, (w, h))
                if im is not None:
                    save(f"{fmt}-{mode.replace(';', '_')}-{w}x{h}.{ext}", im, fmt)
        for orientation in [0, 1, 2, 3, 4, 5, 6, 7, 8]:
            im = image("RGB", (37, 21))
            for order in "<>":
                exif = b"Exif\0\0" + exif_of(orientation, order)
                save(f"{fmt}-exif{orientation}{'be'[order == '<']}.{ext}", im, fmt, exif=exif)
    options = {
        "jpg": [dict(progressive=True), dict(subsampling=0), dict(subsampling=2), dict(quality=1), dict(dpi=(72, 72))],
        "png": [dict(optimize=True), dict(compress_level=0), dict(transparency=1), dict(dpi=(72, 72))],
        "webp": [dict(lossless=True), dict(quality=1), dict(xmp=b'tiff:Orientation="6"'), dict(icc_profile=b"x" * 5000)],
        "tif": [dict(compression=c) for c in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "tiff_adobe_deflate")]
               + [dict(big_tiff=True)],
        "gif": [dict(interlace=1), dict(comment=b"x" * 1000)],
    }
    for ext, variants in options.items():
        for i, o in enumerate(variants):
            for size in [(37, 21), (300, 200)]:
                save(f"option-{ext}-{i}-{size[0]}.{ext}", Image.effect_noise(size, 50).convert("RGB"), FORMATS[ext], **o)
    for ext in ["gif", "png", "webp", "tif"]:
        frames = [Image.effect_noise((37, 21), i + 1).convert("RGB") for i in range(3)]
        save(f"frames.{ext}", frames[0], FORMATS[ext], save_all=True, append_images=frames[1:])
    jpegs()
    pngs()


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def jpegs():
    plain = save("base.jpg", Image.new("RGB", (37, 21)), "JPEG")
    soi, rest = plain[:2], plain[2:]
    sos = rest.index(b"\xff\xda")
    xmp = lambda n: segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation=\"%d\"/>" % n)
    app1 = lambda e: segment(0xe1, b"Exif\0\0" + e)
    big = segment(0xe2, b"x" * 60000)
    cases = {
        "xmp6": xmp(6), "xmp-last": xmp(6) + xmp(3), "xmp9": xmp(9),
        "exif-before-xmp": app1(exif_of(1)) + xmp(6), "xmp-before-exif": xmp(6) + app1(exif_of(1)),
        "two-exif": app1(exif_of(6)) + app1(exif_of(1)), "two-exif-first-empty": app1(b"II*\0\x08\0\0\0\0\0\0\0\0\0") + app1(exif_of(6)),
        "long": app1(exif_of(6, kind=4)), "far": big + big + app1(exif_of(6)) + big,
        "far-xmp": xmp(6) + big + big, "prefix-twice": segment(0xe1, b"Exif\0\0Exif\0\0" + exif_of(6)),
        "fill": b"\xff\xff\xff", "junk": big + b"\x01\x02\x03",
    }
    exif = exif_of(6)
    cases["cut-in-two"] = app1(exif[:12]) + app1(exif[12:])
    for name, extra in cases.items():
        write(f"jpeg-{name}.jpg", soi + extra + rest)
    write("jpeg-exif-behind-frame.jpg", soi + rest[:sos] + app1(exif_of(6)) + rest[sos:])
    write("jpeg-xmp-behind-frame.jpg", soi + rest[:sos] + xmp(6) + rest[sos:])
    for kind, text in {"sbyte": struct.pack("<HHIb3x", 274, 6, 1, 6), "sshort": struct.pack("<HHIh2x", 274, 8, 1, 6),
                       "slong": struct.pack("<HHIi", 274, 9, 1, 6), "float": struct.pack("<HHIf", 274, 11, 1, 6.0),
                       "two": struct.pack("<HHIHH", 274, 3, 2, 6, 1), "unknown": struct.pack("<HHIHH", 274, 99, 1, 6, 0),
                       "zero": struct.pack("<HHIHH", 274, 3, 0, 6, 0)}.items():
        write(f"jpeg-type-{kind}.jpg", soi + app1(b"II*\0\x08\0\0\0\x01\0" + text + b"\0\0\0\0") + rest)
    for kind, text, far in [("rational", struct.pack("<HHII", 274, 5, 1, 26), struct.pack("<II", 6, 1)),
                            ("double", struct.pack("<HHII", 274, 12, 1, 26), struct.pack("<d", 6)),
                            ("shorts", struct.pack("<HHII", 274, 3, 3, 26), struct.pack("<HHH", 6, 1, 1))]:
        write(f"jpeg-type-{kind}.jpg", soi + app1(b"II*\0\x08\0\0\0\x01\0" + text + b"\0\0\0\0" + far) + rest)
    frame = rest.index(b"\xff\xc0")
    for name, at, value in [("12-bits", 4, 12), ("2-components", 9, 2), ("5-components", 9, 5)]:
        changed = bytearray(rest)
        changed[frame + at] = value
        write(f"jpeg-{name}.jpg", soi + bytes(changed))
    write("jpeg-cut-before-sos.jpg", soi + rest[:sos])


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def pngs():
    noise = Image.effect_noise((300, 200), 50)
    plain = save("base.png", noise, "PNG")
    raw = ("\nexif\n%8d\n" % len(exif_of(6)) + exif_of(6).hex()).encode()
    small = {
        "exif": chunk(b"eXIf", exif_of(6)), "prefixed": chunk(b"eXIf", b"Exif\0\0" + exif_of(6)),
        "text": chunk(b"tEXt", b"Raw profile type exif\0" + raw),
        "ztext": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
        "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation=\"6\"/>"),
        "xmp-compressed": chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(b"<x tiff:Orientation=\"6\"/>")),
        "exif-then-xmp": chunk(b"eXIf", exif_of(1)) + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation=\"6\"/>"),
        "two-exif": chunk(b"eXIf", exif_of(1)) + chunk(b"eXIf", exif_of(6)),
        "none": b"",
    }
    gamma = chunk(b"gAMA", struct.pack(">I", 45455))
    end = plain[-12:]
    pixels = plain[33:-12]
    data = b"".join(zlib_parts(pixels))
    for name, c in small.items():
        write(f"png-before-{name}.png", plain[:33] + c + pixels + end)
        write(f"png-after-{name}.png", plain[:33] + gamma + pixels + c + end)
        for step in [1500, 8192, len(data)]:
            split = b"".join(chunk(b"IDAT", data[i:i + step]) for i in range(0, len(data), step))
            write(f"png-after-{step}-{name}.png", plain[:33] + gamma + split + c + end)
    large = chunk(b"eXIf", exif_of(6) + b"\0" * 30000)
    split = b"".join(chunk(b"IDAT", data[i:i + 8192]) for i in range(0, len(data), 8192))
    write("png-large-exif-after.png", plain[:33] + gamma + split + large + end)
    write("png-large-exif-after-single.png", plain[:33] + gamma + chunk(b"IDAT", data) + large + end)
    for colour, depth in [(0, 3), (2, 4), (3, 16), (4, 4), (6, 2), (1, 8), (5, 8), (7, 8)]:
        header = struct.pack(">IIBBBBB", 3, 2, depth, colour, 0, 0, 0)
        write(f"png-mode-{colour}-{depth}.png", plain[:8] + chunk(b"IHDR", header) + pixels + end)
    write("png-filter.png", plain[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 1, 0)) + pixels + end)
    write("png-no-pixels.png", plain[:33])
    write("png-only-end.png", plain[:33] + end)
    write("png-huge.png", plain[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 20000, 10000, 1, 0, 0, 0, 0)) + pixels + end)


def zlib_parts(chunks):
    at = 0
    while at < len(chunks):
        n, = struct.unpack(">I", chunks[at:at + 4])
        if chunks[at + 4:at + 8] == b"IDAT":
            yield chunks[at + 8:at + 8 + n]
        at += 12 + n


def see(path):
    try:
        with Image.open(path) as im:
            im.load()
            size = ImageOps.exif_transpose(im).size
        return dict(Name=path, Width=size[0], Height=size[1], Error="")
    except Exception as e:
        return dict(Name=path, Width=0, Height=0, Error=f"{type(e).__name__}: {e}"[:200])


generate()
for name in sorted(os.listdir(out)):
    print(json.dumps(see(os.path.join(out, name))))
