# Writes images, and prints the checksum that CVAT has of each: the MD5 of
# tobytes (CVAT 2.73, utils/dataset_manifest/utils.py, md5_hash).
import hashlib, json, os, struct, sys, zlib
from PIL import Image, ImageFile

ImageFile.LOAD_TRUNCATED_IMAGES = True
out = sys.argv[1]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def png(colour, bits, width, height, filters, interlace=0, extra=b""):
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    n = (width * samples * bits + 7) // 8
    rows = b"".join(bytes([filters[y % len(filters)]]) + os.urandom(n) for y in range(height))
    palette = chunk(b"PLTE", os.urandom(3 * (1 << bits))) if colour == 3 else b""
    data = zlib.compress(rows)
    pixels = b"".join(chunk(b"IDAT", data[i:i + 700]) for i in range(0, len(data), 700))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
            + extra + palette + pixels + chunk(b"IEND", b""))


for width, height in (37, 21), (8, 1), (1, 9), (64, 64):
    size = f"{width}x{height}"
    for colour, depths in {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}.items():
        for bits in depths:
            for filters in [0], [1], [2], [3], [4], [0, 4, 3, 2, 1]:
                write(f"png-{colour}-{bits}-{size}-{''.join(map(str, filters))}.png", png(colour, bits, width, height, filters))
        write(f"png-{colour}-clear-{size}.png", png(colour, 8, width, height, [1], extra=chunk(b"gAMA", b"\0\0\xb1\x8f")))
    noise = Image.effect_noise((width, height), 90)
    colours = Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in range(3)])
    exif = Image.Exif()
    exif[274] = 6
    colours.save(os.path.join(out, f"png-turned-{size}.png"), exif=exif)
    for mode in "1", "L", "P", "RGB", "RGBA":
        colours.convert(mode).save(os.path.join(out, f"bmp-{mode}-{size}.bmp"))
    colours.convert("RGB").save(os.path.join(out, f"pnm-{size}.ppm"))
    noise.save(os.path.join(out, f"pnm-{size}.pgm"))
    noise.convert("1").save(os.path.join(out, f"pnm-{size}.pbm"))
    for mode in "L", "P", "RGB":
        colours.convert(mode).save(os.path.join(out, f"tif-{mode}-{size}.tif"))
        colours.convert(mode).save(os.path.join(out, f"tif-strips-{mode}-{size}.tif"), strip_size=7)
    for mode in "1", "RGBA", "CMYK", "I;16":
        (noise if mode == "I;16" else colours).convert(mode).save(os.path.join(out, f"tif-none-{mode[:2]}-{size}.tif"))
    colours.save(os.path.join(out, f"tif-none-turned-{size}.tif"), tiffinfo={274: 6})
    colours.save(os.path.join(out, f"tif-none-packed-{size}.tif"), compression="tiff_deflate")
    stride = (width * 3 + 3) // 4 * 4
    write(f"bmp-top-{size}.bmp", b"BM" + struct.pack("<IIIIiiHHIIIIII", 0, 0, 60, 40, width, -height, 1, 24, 0, 0, 0, 0, 0, 0)
          + b"behind" + os.urandom(stride * height))
    write(f"bmp-32-{size}.bmp", b"BM" + struct.pack("<IIIIiiHHIIIIII", 0, 0, 54, 40, width, height, 1, 32, 0, 0, 0, 0, 0, 0)
          + os.urandom(4 * width * height))
    write(f"bmp-16-{size}.bmp", b"BM" + struct.pack("<IIIIiiHHIIIIII", 0, 0, 54, 40, width, height, 1, 16, 0, 0, 0, 0, 0, 0)
          + os.urandom(((2 * width + 3) // 4 * 4) * height))
write("pnm-comment.pgm", b"P5 # a\n3#b\n 2\n255\n" + b"abcdef")
write("pnm-scaled.pgm", b"P5 3 2 100\n" + b"abcdef")
write("pnm-16.pgm", b"P5 3 2 65535\n" + b"abcdefabcdef")
write("pnm-plain.ppm", b"P3 1 1 255\n1 2 3\n")
write("png-cut.png", png(2, 8, 64, 64, [1])[:3000])
write("png-interlaced.png", png(2, 8, 1, 1, [0], interlace=1))
write("png-no-palette.png", png(3, 8, 3, 2, [0]).replace(b"PLTE", b"xLTE"))
Image.effect_noise((64, 64), 90).save(os.path.join(out, "other.jpg"))
for order, mark in ("<", b"II*\0"), (">", b"MM\0*"):
    for photometric in 0, 1:
        entries = [(256, 3, 3), (257, 3, 4), (258, 3, 8), (259, 3, 1), (262, 3, photometric), (273, 4, 8), (277, 3, 1), (279, 4, 12)]
        directory = b"".join(struct.pack(order + "HHI", tag, kind, 1) + struct.pack(order + ("H2x" if kind == 3 else "I"), value)
                             for tag, kind, value in entries)
        name = ("tif-none-white-" if photometric == 0 else "tif-") + ("little" if order == "<" else "big")
        write(name + ".tif", mark + struct.pack(order + "I", 20) + b"abcdefghijkl" + struct.pack(order + "H", len(entries)) + directory + bytes(4))
first, second = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
first.save(os.path.join(out, "animated.png"), save_all=True, append_images=[second])

for name in sorted(os.listdir(out)):
    path = os.path.join(out, name)
    try:
        print(json.dumps(dict(path=path, sum=hashlib.md5(Image.open(path).tobytes()).hexdigest())))
    except Exception as e:
        print(json.dumps(dict(path=path, sum="", error=str(e))))
