# Writes images with Pillow into the folder of the first argument, and prints
# for each what CVAT would see: the size after exif_transpose, or why Pillow
# does not open it. With the second argument "corpus" it writes none, and prints
# this for the files that are in the folder.
import io, json, os, struct, sys, warnings, zlib
from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")
ImageFile.LOAD_TRUNCATED_IMAGES = True  # as CVAT's server does
out = sys.argv[1]

FORMATS = {
    "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF",
    "avif": "AVIF", "jp2": "JPEG2000", "dds": "DDS", "ico": "ICO", "icns": "ICNS", "pcx": "PCX", "ppm": "PPM",
    "qoi": "QOI", "sgi": "SGI", "tga": "TGA", "xbm": "XBM", "eps": "EPS",
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
        "avif": [dict(quality=1), dict(subsampling="4:4:4"), dict(xmp=b'tiff:Orientation="6"'),
                 dict(xmp=b'tiff:Orientation="6"', exif=exif_of(1)), dict(xmp=b'tiff:Orientation="3"', exif=exif_of(8)),
                 dict(xmp=b'tiff:Orientation="6"', exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0"), dict(xmp=b"<x/>")],
        "jp2": [dict(no_jp2=True), dict(irreversible=True), dict(tile_size=(64, 64)), dict(offset=(3, 2))],
        "dds": [dict(pixel_format=f) for f in ("DXT1", "DXT3", "DXT5", "BC2", "BC3", "BC5")],
        "ico": [dict(bitmap_format="bmp"), dict(sizes=[(16, 16), (32, 20)])],
        "ppm": [dict(bits=16)], "sgi": [dict(bpc=2)],
        "tga": [dict(compression="tga_rle"), dict(orientation=1), dict(id_section=b"x" * 200)],
        "gif": [dict(interlace=1), dict(comment=b"x" * 1000)],
    }
    for ext, variants in options.items():
        for i, o in enumerate(variants):
            for size in [(37, 21), (300, 200)]:
                save(f"option-{ext}-{i}-{size[0]}.{ext}", Image.effect_noise(size, 50).convert("RGB"), FORMATS[ext], **o)
    for ext in ["gif", "png", "webp", "tif", "avif"]:
        frames = [Image.effect_noise((37, 21), i + 1).convert("RGB") for i in range(3)]
        save(f"frames.{ext}", frames[0], FORMATS[ext], save_all=True, append_images=frames[1:])
    jpegs()
    pngs()
    webps()
    avifs()
    binaries()
    icons()
    texts()


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
    for n, size in (64, 1 << 20), (65, 1 << 20), (1, (1 << 20) + 1):
        text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(b"x" * size))
        write(f"png-texts-{n}-{size}.png", plain[:33] + text * n + pixels + end)
        write(f"png-texts-after-{n}-{size}.png", plain[:33] + gamma + pixels + text * n + end)
    for kind in b"ab_1", b"1234", b"ab 1", b"\0\0\0\0", b"abc\xe9":
        write(f"png-kind-{kind.hex()}.png", plain[:33] + chunk(kind, b"") + pixels + end)
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


def webps():
    both = save("webp-both.webp", Image.new("RGB", (37, 21)), "WEBP", exif=exif_of(6), xmp=b'<x tiff:Orientation="3"/>')
    flags = both.index(b"VP8X") + 8
    for value in range(0, 16, 4):
        write(f"webp-flags-{value}.webp", both[:flags] + bytes([value]) + both[flags + 1:])


def avifs():
    # irot and imir take the place of the orientation of EXIF.
    for orientation in range(1, 9):
        save(f"avif-turned-{orientation}.avif", Image.new("RGB", (37, 21)), "AVIF", exif=exif_of(orientation))
    turned = save("avif-base.avif", Image.new("RGB", (37, 21)), "AVIF", exif=exif_of(6))
    at = turned.index(b"irot") + 4
    for angle in range(4):
        write(f"avif-angle-{angle}.avif", turned[:at] + bytes([angle]) + turned[at + 1:])
    write("avif-brand.avif", turned.replace(b"ftypavif", b"ftypmif1"))
    write("avif-other-brand.avif", turned.replace(b"ftypavif", b"ftypheic"))


def binaries():
    body = b"\0" * 40000
    for mode in range(10):
        for bits in 1, 8, 16, 32:
            for channels in 1, 3, 4:
                for version in 1, 2:
                    head = b"8BPS" + struct.pack(">H6xHIIHH", version, channels, 21, 37, bits, mode)
                    write(f"psd-{mode}-{bits}-{channels}-{version}.psd", head + struct.pack(">III", 0, 0, 0) + b"\0\0" + body)
    for depth in 1, 4, 8, 16, 24, 32:
        for kind in 0, 1, 3, 4, 5, 6:
            for colours in (0, 0), (1, 768), (2, 768), (1, 2000):
                head = struct.pack(">IIIIIIII", 0x59A66A95, 37, 21, depth, 0, kind, *colours)
                write(f"sun-{depth}-{kind}-{colours[0]}-{colours[1]}.ras", head + body)
    for bpc in 1, 2, 3:
        for dimensions in 1, 2, 3:
            for channels in 1, 2, 3, 4:
                head = struct.pack(">HBBHHHH", 474, 0, bpc, dimensions, 37, 21, channels)
                write(f"sgi-{bpc}-{dimensions}-{channels}.sgi", head.ljust(512, b"\0") + body)
    for version in 0, 2, 3, 4, 5:
        for bits in 1, 2, 8:
            for planes in 1, 2, 3, 4:
                head = struct.pack("<BBBBHHHH", 10, version, 1, bits, 2, 3, 38, 23).ljust(65, b"\0")
                head += struct.pack("<BH", planes, (37 * bits + 7) // 8)
                write(f"pcx-{version}-{bits}-{planes}.pcx", head.ljust(128, b"\0") + b"\xff\0" * 5000)
    for palette in 0, 1, 2:
        for kind in 0, 1, 2, 3, 4, 9, 10, 11:
            for bits in 1, 8, 15, 16, 24, 32:
                head = struct.pack("<BBBHHBHHHHBB", 0, palette, kind, 0, palette * 256, palette * 24, 0, 0, 37, 21, bits, 0x20)
                write(f"tga-{palette}-{kind}-{bits}.tga", head + b"\0" * 768 + body)
    for flags in 0, 0x1, 0x4, 0x20, 0x40, 0x41, 0x20000, 0x20001:
        for code in b"\0\0\0\0", b"DXT1", b"DXT2", b"ATI2", b"DX10":
            for bits in 8, 16, 32:
                for dxgi in 28, 71, 95, 200:
                    head = b"DDS " + struct.pack("<IIII", 124, 0x1007, 21, 37).ljust(72, b"\0")
                    head += struct.pack("<II4sI4I", 32, flags, code, bits, 0xff0000, 0xff00, 0xff, 0).ljust(52, b"\0")
                    if code == b"DX10":
                        head += struct.pack("<IIIII", dxgi, 3, 0, 1, 0)
                    write(f"dds-{flags}-{code[:3].decode().strip(chr(0))}-{bits}-{dxgi}.dds", head + body)
    place = struct.pack("<I2x4hH", 0x9AC6CDD7, -10, -10, 1430, 710, 1440)
    write("wmf.wmf", place.ljust(22, b"\0") + b"\1\0\x09\0" + body)
    emf = struct.pack("<II4i4i", 1, 108, 0, 0, 36, 20, 0, 0, 1000, 1000) + b" EMF"
    write("emf.emf", emf + body)
    write("not-emf.emf", emf[:40] + b"nope" + body)
    for size in range(0, 60, 3):
        write(f"cut-{size}.psd", (b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 21, 37, 8, 3) + bytes(40))[:size])


def icons():
    icon = save("icon-base.ico", Image.new("RGBA", (64, 48)), "ICO", sizes=[(16, 16), (64, 48), (48, 64)])
    write("icon-none.ico", b"\0\0\1\0\0\0" + icon[6:])
    write("icon-cut.ico", icon[:30])
    wrong = bytearray(icon)
    for at in range(6, 6 + 16 * 3, 16):
        wrong[at] = 99 # the directory says another width
    write("icon-other-size.ico", bytes(wrong))
    for bits in 1, 4, 8, 16, 24, 32:
        for sizes in [(32, 32)], [(16, 16), (32, 32)], [(32, 32), (16, 64)], [(0, 0)]:
            lines, images = b"", b""
            for w, h in sizes:
                colours = 4 << bits if bits <= 8 else 0
                dib = struct.pack("<IiiHHIIiiII", 40, w or 256, 2 * (h or 256), 1, bits, 0, 0, 0, 0, 0, 0)
                dib += b"\0\1\2\0" * (colours // 4)
                dib += bytes(((w or 256) * bits + 31) // 32 * 4 * (h or 256) + ((w or 256) + 31) // 32 * 4 * (h or 256))
                lines += struct.pack("<BBBBHHII", w, h, 0, 0, 1, bits, len(dib), 6 + 16 * len(sizes) + len(images))
                images += dib
            for kind, ext in (1, "ico"), (2, "cur"):
                name = f"{ext}-{bits}-" + "-".join(f"{w}x{h}" for w, h in sizes)
                write(f"{name}.{ext}", struct.pack("<HHH", 0, kind, len(sizes)) + lines + images)
    icns = save("icns-base.icns", Image.new("RGBA", (1024, 1024)), "ICNS")
    toc, = struct.unpack(">I", icns[12:16])
    size = lambda b: b"icns" + struct.pack(">I", 8 + len(b)) + b
    write("icns-no-contents.icns", size(icns[8 + toc:]))
    first, = struct.unpack(">I", icns[8 + toc + 4:8 + toc + 8])
    write("icns-one.icns", size(icns[8 + toc:8 + toc + first]))
    write("icns-unknown.icns", size(b"xxxx" + struct.pack(">I", 16) + bytes(8)))
    write("icns-old.icns", size(b"is32" + struct.pack(">I", 8 + 768) + bytes(768)))


def texts():
    for name, text in {
        "comment.pgm": b"P5\n# made by hand\n37 # width\r21\n255\n" + bytes(777), "bitmap.pbm": b"P1 37 21\n" + b"1 0 " * 777,
        "plain.ppm": b"P3 3\t2 255\n" + b"1 2 3 " * 6, "sixteen.pgm": b"P5 37 21 65535 " + bytes(2000),
        "zero.pgm": b"P5 37 21 0 " + bytes(777), "much.pgm": b"P5 37 21 65536 " + bytes(2000), "letters.pgm": b"P5 a b 255 ",
        "long.pgm": b"P5 00000000037 21 255 " + bytes(777), "float.pfm": b"Pf 37 21 -1.0\n" + bytes(4000),
        "zero.pfm": b"Pf 37 21 0\n" + bytes(4000), "colour.pfm": b"PF 37 21 -1.0\n" + bytes(12000),
        "any.pam": b"P7\nWIDTH 37\nHEIGHT 21\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n" + bytes(4000),
        "cut.pgm": b"P5 37", "no-width.pgm": b"P5 0 21 255 ",
        "hot.xbm": b"#define a_width 37\n#define a_height 21\n#define a_x_hot 1\n#define a_y_hot 2\nstatic char a_bits[] = {" + b"0x00, " * 200 + b"};",
        "blank.xbm": b"\n \n#define a_width 37\r\n#define a_height 21\r\nstatic unsigned char a_bits[] = {" + b"0x00, " * 200 + b"};",
        "none.xbm": b"#define a_width 37\nint x;", "not.xbm": b"#define SOMETHING 1\n",
        "hex.xpm": b'/* XPM */\nstatic char *a[] = {\n"3 2 2 1",\n"a c #ff0000",\n"b c #00f",\n"aba",\n"bab"};\n',
        "none.xpm": b'/* XPM */\nstatic char *a[] = {\n"3 2 2 1",\n"a c #ff0000",\n"b c None",\n"aba",\n"bab"};\n',
        "named.xpm": b'/* XPM */\nstatic char *a[] = {\n"3 2 2 1",\n"a c red",\n"b c None",\n"aba",\n"bab"};\n',
        "mono.xpm": b'/* XPM */\nstatic char *a[] = {\n"3 2 1 1",\n"a m white c #ffffff",\n"aaa",\n"aaa"};\n',
        "empty.xpm": b"/* XPM */\n", "cut.xpm": b'/* XPM */\n"3 2 2 1",\n"a c #ff0000",\n',
    }.items():
        write("text-" + name, text)
    card = lambda k, v: f"{k:8}= {v:>20}".ljust(80).encode()
    for bits in 8, 16, 32, 64, -32, -64:
        for axes in [], [37], [37, 21], [37, 21, 3]:
            cards = card("SIMPLE", "T") + card("BITPIX", bits) + card("NAXIS", len(axes))
            cards += b"".join(card(f"NAXIS{i + 1}", n) for i, n in enumerate(axes)) + b"END".ljust(80)
            head = cards.ljust(2880)
            write(f"fits-{bits}-{len(axes)}.fits", head + bytes(40 * 2880))
            more = card("XTENSION", "'IMAGE   '") + cards[80:]
            empty = (card("SIMPLE", "T") + card("BITPIX", 8) + card("NAXIS", 0) + b"END".ljust(80)).ljust(2880)
            write(f"fits-second-{bits}-{len(axes)}.fits", empty + more.ljust(2880) + bytes(40 * 2880))
    write("fits-false.fits", (card("SIMPLE", "F") + head[80:]))
    write("fits-no-data.fits", head)


def see(path):
    try:
        with Image.open(path) as im:
            im.load()
            size = ImageOps.exif_transpose(im).size
        return dict(Name=path, Width=size[0], Height=size[1], Error="")
    except Exception as e:
        return dict(Name=path, Width=0, Height=0, Error=f"{type(e).__name__}: {e}"[:200])


if sys.argv[2:] == ["corpus"]:
    names = os.listdir(out)
else:
    generate()
    names = os.listdir(out)
for name in sorted(names):
    print(json.dumps(see(os.path.join(out, name))))
