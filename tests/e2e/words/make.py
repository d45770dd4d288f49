#!/usr/bin/env python3
"""Write the pictures that text.sh reads. Needs Pillow and the fonts DejaVu, FreeSerif and IPA Gothic."""
import os

from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = os.path.dirname(os.path.abspath(__file__))
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
SANS, SERIF, GOTHIC = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/freefont/FreeSerif.ttf",
                       "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf")


def page(lines, size, colours=((255, 255, 255), (0, 0, 0))):
    image = Image.new("RGB", size, colours[0])
    for x, y, text, font, points in lines:
        ImageDraw.Draw(image).text((x, y), text, fill=colours[1], font=ImageFont.truetype(font, points))
    return image


def save(image, name, **options):
    image.save(os.path.join(HERE, name), optimize=True, **options)


receipt = page([(30, 20, "CORNER PHARMACY", SANS, 30), (30, 70, "12 Garden Street", SERIF, 26), (30, 120, "Aspirin 500 mg", SERIF, 26), (330, 120, "4.99", SERIF, 26),
                (30, 160, "Total", SANS, 26), (330, 160, "4.99", SANS, 26)], (440, 220))
save(receipt.convert("P", palette=Image.ADAPTIVE, colors=16), "receipt.png")
sign = page([(40, 30, "出口 Exit", GOTHIC, 60), (40, 120, "図書館", GOTHIC, 48)], (420, 200), ((20, 90, 40), (255, 255, 255)))
save(sign.rotate(7, Image.BICUBIC, fillcolor=(20, 90, 40)).convert("P", palette=Image.ADAPTIVE, colors=32), "sign.png")
wifi = page([(20, 20, "WLAN: Gästehaus", SANS, 28), (20, 70, "Passwort: maus-7291", SANS, 28)], (380, 130), ((235, 240, 250), (40, 40, 60)))
save(wifi.rotate(180), "wifi.jpg", quality=85, exif=(lambda e: (e.__setitem__(0x0112, 3), e)[1])(Image.Exif()))
bill = page([(30 + 300 * k, 30 + 40 * i, line, SANS, 26)
             for i, row in enumerate((("Garden Supplies",), ("Seeds", "2.50"), ("Shovel", "18.90"), ("Total", "21.40"))) for k, line in enumerate(row)], (460, 220))
for name, angle in (("left", 90), ("over", 180), ("right", 270)):
    save(bill.rotate(angle, expand=True).convert("P", palette=Image.ADAPTIVE, colors=16), f"pages/bill-{name}.png")
save(bill.rotate(14, Image.BICUBIC, expand=True, fillcolor=(120, 100, 80)).convert("P", palette=Image.ADAPTIVE, colors=32), "pages/bill-crooked.png")
till = page([(30, 30 + 33 * i, line, MONO, 22) for i, line in enumerate((
    "SUPERMARKT SCHMIDT", "Hauptstraße 12, 10115 Berlin", "", "Vollmilch 3,5%        1,19", "Brötchen 6x           2,40", "Käse Gouda            3,79",
    "Äpfel 1,2 kg          2,99", "", "SUMME EUR            10,37", "BAR                  20,00", "RÜCKGELD              9,63", "", "15.03.2024 18:42"))], (520, 560))
save(till.rotate(270, expand=True).convert("P", palette=Image.ADAPTIVE, colors=16), "pages/till.png")   # 9,63 alone is taken for what is upside down
pharmacy = page([(30, 20, "АПТЕКА", SANS, 40), (30, 90, "Хлеб и молоко 150 руб.", SERIF, 32), (30, 150, "Coffee to go", SANS, 30)], (480, 210))
save(pharmacy.convert("P", palette=Image.ADAPTIVE, colors=16), "cyrillic/pharmacy.png")
# Letters that are strokes to the detector at the size at which it looks for lines, and that the first look divides.
stop = Image.radial_gradient("L").filter(ImageFilter.GaussianBlur(3)).resize((800, 600)).convert("RGB")
corners = [(400 + 410 * x, 300 + 280 * y) for x, y in ((-1, -.4), (-.4, -1), (.4, -1), (1, -.4), (1, .4), (.4, 1), (-.4, 1), (-1, .4))]
ImageDraw.Draw(stop).polygon(corners, fill=(190, 20, 30))
ImageDraw.Draw(stop).text((400, 300), "STOP", font=ImageFont.truetype(SANS.replace("Sans.", "Sans-Bold."), 250), fill=(255, 255, 255), anchor="mm")
save(stop.convert("P", palette=Image.ADAPTIVE, colors=32), "large/stop.png")
hello = page([(30, 80, "HELLO WORLD", SANS.replace("Sans.", "Sans-Bold."), 72)], (660, 240))
save(hello.convert("P", palette=Image.ADAPTIVE, colors=8), "large/hello.png")
save(Image.radial_gradient("L").filter(ImageFilter.GaussianBlur(3)).resize((300, 200)).convert("P"), "nothing.png")
# Letters on nothing, all with the same colour below, and letters that are holes.
letters = page([(20, 20, "Garden Supplies", SANS, 32)], (330, 80)).convert("L").point(lambda v: 255 - v)
for name, colour, alpha in (("black.png", 0, letters), ("white.png", 255, letters), ("holes.png", 255, letters.point(lambda v: 255 - v)), ("black.webp", 0, letters)):
    save(Image.merge("LA", (Image.new("L", letters.size, colour), alpha)), "clear/" + name, **({"lossless": True} if name.endswith("webp") else {}))
palette = Image.frombytes("P", letters.size, bytes(v > 127 for v in letters.tobytes()))
palette.putpalette([0] * 768)
save(palette, "clear/black.gif", transparency=0)
