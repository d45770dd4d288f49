# Pictures with words in their names, folders, labels, headers, places and in themselves, and questions about them. Sourced.
#     P=$T/pics; word_pictures; put_texts STORE; answers STORE [OPTION]...

names() { sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }

word_pictures() {
    pictures "$P" 40
    python3 - "$T" <<'PY'
import json, os, shutil, sys
T = sys.argv[1]
for i, folder in ((0, "AnnaWedding 2019/Party"), (1, "AnnaWedding 2019"), (2, "Café Zürich"), (3, "Москва/Собаки"), (4, "北京旅行"), (5, "holiday-pics"),
                  (12, "a 'quoted' \"folder\""), (13, "back\\slash")):
    os.makedirs(f"{T}/pics/{folder}", exist_ok=True)
    shutil.move(f"{T}/pics/p{i:03}.png", f"{T}/pics/{folder}/p{i:03}.png")
for i, place, text in ((6, (48.137, 11.575), "A pier"), (7, (48.8584, 2.2945), "The \"old\" harbour"), (14, (40.6413, -73.9982), ""), (15, (33.6609, -95.5555), "Texas")):
    with open(f"{T}/pics/p{i:03}.png.json", "w") as f:
        json.dump({"description": text, "photoTakenTime": {"timestamp": "1400000000"},
                   "geoData": {"latitude": place[0], "longitude": place[1], "altitude": 0.0}}, f)
with open(f"{T}/list.csv", "w", encoding="utf-8") as f:
    f.write("id,path,label\n")
    for i in range(16, 36):
        f.write(f"K{i}x,{T}/pics/p{i:03}.png,a {'white ' if i % 2 else ''}dog number {i % 5} on the beach\n")
PY
}

put_text() { # STORE FILE TEXT...; Python is not built with the sanitizers of the library
    case $SCRY_BUILD in
    */asan) set -- env LD_PRELOAD="$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 python3 "$E2E/put_texts.py" "$SCRY_BUILD/libscry.so.0" "$@" ;;
    *) set -- python3 "$E2E/put_texts.py" "$SCRY_BUILD/libscry.so.0" "$@" ;;
    esac
    "$@"
}
put_texts() { # STORE
    put_text "$1" "$P/p008.png" 'Welcome
Guest WiFi password: Sunflower42' "$P/p009.png" 'Rechnung Nr. 17
Größe: "XL" \ 3
Итого 25 евро' "$P/p010.png" '' "$P/p011.png" '!too large' "$P/holiday-pics/p005.png" 'a wedding
東京タワー'
}

# Each question with what a store answers, but for scores; by path below the root of the store.
answers() { # STORE [OPTION]...
    python3 - "$scry" "$@" <<'PY'
import json, subprocess, sys
scry, store, *options = sys.argv[1:]
words = ["anna wedding", "wedding", "wedding party", "2019 PARTIES Anna", "zurich cafe", "собака Москвы", "旅行", "東京", "white dogs 3 on the beaches K23x",
         "a photo of the white dogs, 3", "holid", "holiday wedding", "photos of Munich, Germany", "Мюнхен", "paris", "new york", "texas", "sunset park",
         "screenshot with the wifi password", "a dinner in Munich", "собака и кот на Марсе", "absent white dogs 3 on the moon", "lunch of Anna and a friend", "nowhere",
         "wifi password", "Guest p008", "rechnung groesse", "größe xl", "евро", "quoted folder", "back slash", "old harbour", "pier", "=5", "*", "'", "\"old\""]
filters = [["--words", "holid"], ["--words", "ho"], ["--words", "holiday", "--words", "p005"], ["--words", "holiday p006"], ["--words", "wedding", "--words", "party"],
           ["--words", "flower"], ["--words", "passw guest"], ["--words", "ötel"], ["--words", "обак"], ["--words", "quot 'fold\""], ["--words", "旅"], ["--words", "タワ"],
           ["--place", "munich"], ["--place", "France"], ["--place", "paris", "--place", "Мюнхен"], ["--place", "Paris, Texas"], ["--place", "Bavaria"], ["--place", "巴黎"],
           ["--place", "USA", "--words", "texas"], ["--place", "New York"], ["--words", "dog", "--label", "a white dog number 3 on the beach"]]
asked = [["search", "--min-score", "auto", "dog"]]   # after it, what scores mean is known
asked += [["search", "--by", "words", "--limit", "50", w] for w in words]
asked += [["search", "--limit", "50", w] for w in words]
asked += [["search", "--limit", "50", *f, "red"] for f in filters] + [["search", "--by", "look", *f, "a dog"] for f in filters[::3]]
asked += [["list", *f] for f in filters] + [["list", "--sort", "name", *f] for f in filters[::2]]
asked += [["search", "--limit", "5", "--offset", str(n), "white dog"] for n in (0, 5, 10)]
asked += [["search", "--limit", "9", *o, "dog"] for o in (["--all-copies"], ["--fold", "0.9"], ["--min-score", "0.1"], ["--min-score", "auto"], ["--after", "2000"])]
left_out = {"score", "mtime", "taken_at", "group", "took_ms", "path", "root", "text", "query", "store", "collection", "scanned", "undated", "top_score", "folded_ids"}
for q in asked:
    r = subprocess.run([scry, *q, "--json", "--store", store, *options], capture_output=True, text=True)
    print(*q, r.returncode, r.stderr.strip()[:60] if r.returncode > 1 else "")
    for a in json.loads(r.stdout or "{}").get("results", []):
        print("   ", {k: v for k, v in a.items() if k not in left_out})
PY
}
