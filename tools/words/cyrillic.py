#!/usr/bin/env python3
"""How well lines in Cyrillic are read, by Tesseract where the networks are unsure, and what that does to pictures without any.

    apt-get install tesseract-ocr-rus
    tools/words/cyrillic.py [--pictures N] [FOLDER-OF-PICTURES-WITHOUT-CYRILLIC ...]

Draws Russian words in the fonts of this machine that have them, dark on light and light on dark, in sizes of 18 to 48 pixels, some blurred, some turned a
little, and reads the pictures with `scry text`. Prints the share of characters that are right (1 - edit distance / characters, spaces aside, each
line against the nearest one that was read), and of each folder the lines that change when Tesseract is there.
"""
import argparse
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw, ImageFilter, ImageFont

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORDS = ("в и на с по для от до из о мы вы они это как так было есть Москва Россия улица дом квартира магазин аптека хлеб молоко цена итого сумма чек кассир спасибо за покупку "
         "вход выход касса пароль сеть гость Санкт-Петербург вокзал поезд платформа отправление прибытие сегодня завтра понедельник вторник среда четверг пятница суббота "
         "воскресенье январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь ресторан меню борщ щи пельмени чай кофе сок вода объявление внимание "
         "осторожно скользко не курить закрыто открыто перерыв обед ремонт обуви съёмка ёлка подъезд этаж лифт паспорт гражданин Российской Федерации директор бухгалтер "
         "договор номер дата подпись адрес телефон 2024 12:30 150 руб. № 7").split()


def fonts():
    found = subprocess.run(["fc-list", ":lang=ru", "file"], capture_output=True, text=True, check=True).stdout.replace(": ", "").split("\n")
    return sorted(f for f in set(found) - {""} if "Math" not in f and "Symbol" not in f)


def draw(rng, faces):
    """A picture and its lines."""
    light = rng.random() < 0.7
    ground = rng.randrange(200, 256) if light else rng.randrange(70)
    image, lines, y = Image.new("RGB", (1000, 500), (ground,) * 3), [], 20
    size, face = rng.choice([18, 20, 24, 28, 32, 40, 48]), rng.choice(faces)
    font, colour = ImageFont.truetype(face, size), (rng.randrange(60) if light else rng.randrange(200, 256),) * 3
    while y < 420:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 6)))
        if font.getlength(text) < 900:
            ImageDraw.Draw(image).text((40, y), text, fill=colour, font=font)
            lines.append(text)
            y += int(size * 1.9)
    if rng.random() < 0.2:
        image = image.rotate(rng.uniform(-5, 5), Image.BICUBIC, fillcolor=(ground,) * 3)
    return image.filter(ImageFilter.GaussianBlur(0.8)) if rng.random() < 0.2 else image, lines


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        before, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            before, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, before + (x != y))
    return row[-1]


def read(paths, data):
    """The lines of each picture. data: False: without Tesseract."""
    env = dict(os.environ, **({} if data else {"TESSDATA_PREFIX": "/nowhere"}))
    out = subprocess.run([os.path.join(TOP, "build/release/scry"), "text", "--json", *paths], capture_output=True, text=True, env=env, check=False).stdout
    return {j["path"]: [x["text"] for x in j["lines"]] for j in map(json.loads, out.splitlines())}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pictures", type=int, default=40)
    p.add_argument("--show", action="store_true")
    p.add_argument("folders", nargs="*")
    a = p.parse_args()
    rng, faces, count, wrong, lines, same = random.Random(18), fonts(), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        drawn = [draw(rng, faces) for _ in range(a.pictures)]
        paths = [os.path.join(tmp, f"{i}.png") for i in range(len(drawn))]
        for path, (image, _) in zip(paths, drawn):
            image.save(path)
        pages = read(paths, True)
    for path, (_, wanted) in zip(paths, drawn):
        for text in wanted:
            text = text.replace(" ", "")
            best = min((x.replace(" ", "") for x in pages.get(path, [])), key=lambda x: distance(x, text), default="")
            d = min(distance(best, text), len(text))
            count, wrong, lines, same = count + len(text), wrong + d, lines + 1, same + (d == 0)
            if d and a.show:
                print(f"{text!r} {best!r}")
    if count:
        print(f"Russian: {len(drawn)} pictures, {len(faces)} fonts, {lines} lines, {100 * same / lines:.1f} % the same; characters {100 * (1 - wrong / count):.2f} %")
    for folder in a.folders:
        paths = sorted(x for x in glob.glob(os.path.join(folder, "**", "*.*"), recursive=True) if x.lower().endswith((".webp", ".jpg", ".jpeg", ".png")))
        before, after = read(paths, False), read(paths, True)
        new = [(x, t) for x in paths for t in after.get(x, []) if t not in before.get(x, [])]
        print(f"{os.path.basename(folder.rstrip('/'))}: {len(paths)} pictures, {sum(map(len, before.values()))} lines, {len(new)} other with Tesseract")
        for x, t in new if a.show else []:
            print(f"{x}: {t!r}")


sys.exit(main())
