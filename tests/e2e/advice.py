"""Damage of every kind, and what scry verify advises done literally: then it finds nothing. TAP, for advice.sh."""
import os
import re
import shutil
import sqlite3
import subprocess
import sys

scry, work = sys.argv[1:]
broken = os.path.join(work, "broken")
count = 0


def run(*arguments):
    r = subprocess.run([scry, *arguments, "--store", broken], capture_output=True, text=True, errors="replace", timeout=120)
    return r.returncode, r.stdout, "".join(line for line in r.stderr.splitlines(True) if "SCRY_TEST_UNCONFINED" not in line)


def report(good, name, *notes):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    for note in notes if not good else ():
        print("# " + str(note).replace("\n", "\n# "))


def sql(statement):
    def change(folder):
        db = sqlite3.connect(folder + "/index.db")
        db.execute(statement)
        assert db.total_changes
        db.commit()
        db.close()
    return statement, change


def flip(pattern, at):
    def change(folder):
        name, = [n for n in os.listdir(folder) if re.fullmatch(pattern, n)]
        with open(os.path.join(folder, name), "r+b") as f:
            f.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
            byte = f.read(1)[0]
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte ^ 0x10]))
    return f"{pattern}, byte {at}", change


def cut(pattern):
    def change(folder):
        name, = [n for n in os.listdir(folder) if re.fullmatch(pattern, n)]
        os.truncate(os.path.join(folder, name), os.path.getsize(os.path.join(folder, name)) // 2)
    return f"{pattern}, cut", change


LAST = "(SELECT max(number) FROM files)"
ID = "x'00112233445566778899aabbccddeeff'"
DAMAGES = [
    # vectors, caches, checksums, bytes that nothing reads
    flip(r"vectors-\d+\.seg", 4096 + 64 * 8 + 3), flip(r"vectors-\d+\.seg", 60), flip(r"vectors-\d+\.seg", 3), cut(r"vectors-\d+\.seg"),
    flip(r"codes-\d+\.cache", 4096 + 40), flip(r"codes-\d+\.cache", 20), cut(r"codes-\d+\.cache"), flip(r"columns-\d+\.cache", 600),
    flip(r"columns-\d+\.cache", 10), flip("sums", 30), cut("sums"), flip(r"index\.db", -200), flip(r"index\.db", 4096 * 2 + 3),
    # rows
    sql(f"UPDATE files SET mtime_ns = mtime_ns + 5 WHERE number = {LAST}"), sql(f"UPDATE files SET relative = 'zz.png' WHERE number = {LAST}"),
    sql(f"UPDATE files SET id = {ID} WHERE number = {LAST}"), sql(f"UPDATE files SET slot = 3 WHERE number = {LAST}"),
    sql(f"UPDATE files SET slot = 9999 WHERE number = {LAST}"), sql(f"UPDATE files SET root = 77 WHERE number = {LAST}"),
    sql(f"UPDATE files SET labels = x'6200' WHERE number = {LAST}"), sql(f"DELETE FROM files WHERE number = {LAST}"),
    sql("UPDATE contents SET camera = 'X' WHERE slot = 5"), sql("UPDATE contents SET vector_crc = vector_crc + 1 WHERE slot = 5"),
    sql(f"UPDATE contents SET hash = x'{'ab' * 32}' WHERE slot = 5"), sql("DELETE FROM contents WHERE slot = 5"),
    sql("UPDATE details SET title = 'x' WHERE slot = 5"), sql("DELETE FROM details WHERE slot = 5"),
    sql("INSERT INTO details SELECT 999, taken_source, taken_offset, rating, damaged, lens, title, description, keywords, row_crc "
        "FROM details WHERE slot = 5"),
    sql(f"INSERT INTO notes SELECT {ID}, 0, NULL, NULL, NULL, NULL, NULL, '', '', '', '', 1"),
    sql("UPDATE bad SET reason = 'x'"), sql("DELETE FROM bad"), sql("UPDATE roots SET path = '/nowhere/x'"),
    sql("UPDATE head SET files = files + 1"), sql("DELETE FROM dead"), sql("INSERT INTO dead VALUES (50, 6)"),
    # what was read, what a user said
    sql("INSERT INTO texts VALUES (5, 'r', '', x'00', 1)"), sql("INSERT INTO texts VALUES (999, 'r', '', x'', 1)"),
    sql("UPDATE marks SET set_at = set_at + 1"),
]

for name, change in DAMAGES:
    shutil.rmtree(broken, ignore_errors=True)
    whole, pics, expected = ("many", "copies", "1100") if name.startswith("columns") else ("whole", "pics", "40")
    pics = os.path.join(work, pics)
    shutil.copytree(os.path.join(work, whole), broken)
    change(os.path.join(broken, "collections", "default"))
    status, out, err = run("verify")
    last = err.strip().splitlines()[-1] if err.strip() else ""
    report(status == 2, f"{name}: verify finds it", out, err)
    if "remove the collection's folder and index again" in last:
        shutil.rmtree(os.path.join(broken, "collections", "default"))
        steps = [("index", pics)]
    else:
        steps = [(*words.split()[1:], *([pics] if re.match(" on (its folders|any folder)", after) else []))
                 for words, after in re.findall(r"`(scry [^`]*)`([^`]*)", last)]
    if "remove the files that are named" in last:
        for path in set(re.findall(r"^(.*?): .*; remove the file", out, re.M)):
            os.remove(path)
    report(bool(steps), f"{name}: and says what to do", out, err)
    done = [run(*step) for step in steps]
    report(all(s in (0, 1) for s, _, _ in done), f"{name}: that succeeds", last, done)
    status, out, err = run("verify")
    files = re.search(r"all is well: (\d+) files", out)
    report(status == 0, f"{name}: then verify finds nothing", last, done, out, err)
    report(bool(files) and files.group(1) == expected, f"{name}: and no picture is lost", out)
print(f"1..{count}")
