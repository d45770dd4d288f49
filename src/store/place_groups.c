#include "store/place_groups.h"

#include "base/alloc.h"
#include "store/place_names.h"
#include "store/places.h"
#include "store/places_table.h"
#include "store/words.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Names that differ from those of the others by more than case and accents, separated by '|'; and what they name: codes of
 * countries (continents as GeoNames has them); "=" and a name that the table has; or south, west, north and east of a box, the
 * cities of which are meant, as pictures on an island are of the nearest city. Not here: what no such list or box is exact for
 * (Alsace, Provence). */
static const struct { const char *names, *of; } groups[] = {
    { "Europe|Europa|Европа|欧洲|ヨーロッパ",
      "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU "
      "LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK" },
    { "Asia|Asien|Asie|Азия|亚洲|アジア",
      "AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV "
      "MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE" },
    { "Africa|Afrika|Afrique|Африка|非洲|アフリカ",
      "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA "
      "MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW" },
    { "North America|Nordamerika|Amérique du Nord|América del Norte|Norteamérica|Nordamerica|América do Norte|"
      "Северная Америка|北美洲|北美|北アメリカ",
      "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI "
      "PA PM PR SV SX TC TT US VC VG VI" },
    { "South America|Südamerika|Amérique du Sud|América del Sur|Sudamérica|América do Sul|Южная Америка|南美洲|南美|南アメリカ",
      "AR BO BR CL CO EC FK GF GY PE PY SR UY VE" },
    { "Central America|Mittelamerika|Zentralamerika|Amérique centrale|América Central|America centrale|"
      "Центральная Америка|中美洲|中央アメリカ",
      "BZ CR GT HN NI PA SV" },
    { "Oceania|Ozeanien|Océanie|Океания|大洋洲|オセアニア",
      "AS AU CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS" },
    { "Scandinavia|Skandinavien|Scandinavie|Escandinavia|Скандинавия", "DK NO SE" },
    { "Benelux|Бенилюкс", "BE LU NL" },
    { "Baltics|Baltic states|Baltikum|Прибалтика", "EE LT LV" },
    { "Caribbean|Karibik|Caraïbes|Caribe|Caraibi|Карибы",
      "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI" },

    { "Catalunya|Katalonien", "=Catalonia, Spain" },
    { "Andalusien", "=Andalusia" },
    { "Крым", "=Crimea" },
    { "Euskadi|Euskal Herria", "=Basque Country, Spain" },
    { "Sizilien", "=Sicily" },
    { "Istrien", "=Istria" },
    { "Kanaren|Canaries|Канары", "=Canary Islands" },
    { "Balearen|Balearics|Балеары", "=Balearic Islands" },
    { "Algarve", "=Faro, Portugal" },
    { "SF|San Fran", "=San Francisco, California" }, { "Philly", "=Philadelphia, Pennsylvania" }, { "Vegas", "=Las Vegas, Nevada" },
    { "New York State", "=NY" },
    { "CDMX", "=Mexico City" },
    { "KL", "=Kuala Lumpur" },
    { "МСК", "=Москва" },
    { "Екб", "=Екатеринбург" },
    { "Burma|Birma|Birmanie|Birmania|Бирма", "=Myanmar" },
    { "Holland|Hollande|Holanda|Olanda|Голландия", "=Netherlands" },
    { "Korea|Corée|Corea|Coreia|Корея", "KP KR" },
    { "Emirates|Emirate|Émirats|Emiratos|Эмираты", "=United Arab Emirates" },
    { "Russian Federation|Russische Föderation|Российская Федерация", "=Russia" },
    { "Ceylon|Цейлон", "=Sri Lanka" },
    { "Persia|Persien|Персия", "=Iran" },
    { "Siam", "=Thailand" },
    { "Constantinople|Konstantinopel|Константинополь", "=Istanbul" },
    { "Cracow", "=Kraków" },
    { "Lemberg|Lwów|Lvov", "=Lviv" },
    { "Pressburg", "=Bratislava" },
    { "Laibach", "=Ljubljana" },
    { "Reval", "=Tallinn" },
    { "Schanghai", "=Shanghai" },
    { "Machu Picchu|Мачу Пикчу", "=Machupicchu" },
    { "Saigon|Saigón|Сайгон|西贡", "=Ho Chi Minh City" },
    { "Türkiye", "=Turkey" },
    { "Britain|Großbritannien|Grande-Bretagne|Gran Bretaña|Gran Bretagna|Великобритания", "=United Kingdom" },
    { "Amerika|Америка", "=United States" },
    { "Kapverden|Kap Verde", "=Cape Verde" }, { "Breslau|Бреслау", "=Wrocław" }, { "Koh Samui", "=Ko Samui" },

    { "Tenerife|Teneriffa|Тенерифе|特内里费岛", "27.98 -16.95 28.60 -16.10" },
    { "Gran Canaria|Grande Canarie|Гран Канария", "27.72 -15.85 28.20 -15.34" },
    { "Lanzarote|Лансароте", "28.83 -13.90 29.42 -13.40" }, { "Fuerteventura|Фуэртевентура", "28.03 -14.53 28.77 -13.80" },
    { "Mallorca|Majorca|Majorque|Maiorca|Майорка|Мальорка", "39.25 2.30 39.97 3.50" },
    { "Menorca|Minorca|Minorque|Менорка", "39.80 3.78 40.10 4.35" },
    { "Ibiza|Eivissa|Ибица", "38.80 1.18 39.13 1.65" }, { "Santorini|Santorin|Санторини", "36.32 25.33 36.50 25.50" },
    { "Java|Ява", "-8.90 105.05 -5.85 114.42" },
    { "Borneo|Bornéo|Борнео", "-4.25 108.80 6.93 118.75" },
    { "Florida Keys", "24.40 -82.20 25.30 -80.25" },
    { "Maui|Мауи", "20.55 -156.72 21.05 -155.95" },
    { "Oahu|Оаху", "21.23 -158.30 21.73 -157.63" },
    { "Big Island", "18.88 -156.10 20.30 -154.78" },
    { "Kauai", "21.85 -159.80 22.25 -159.28" }, { "Sylt", "54.73 8.27 55.07 8.55" }, { "Rügen|Рюген", "54.22 13.12 54.70 13.78" },
    { "Lake Garda|Gardasee|Lac de Garde|Lago di Garda", "45.42 10.50 45.90 10.90" },
    { "Lake Como|Comer See|Lac de Côme|Lago di Como", "45.78 9.02 46.20 9.45" },
    { "Lake Constance|Bodensee|Lac de Constance|Боденское озеро", "47.46 8.98 47.85 9.78" },
};
enum { GROUPS = sizeof groups / sizeof *groups, MOST_NAMES = 256 };

/* The names as lists of words, made by the first lookup and kept. */
static struct { char *words; size_t size, group; } names[MOST_NAMES];
static size_t name_count;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

/* The next of the names at `*at`, in `out`; false at the end. */
static bool next_name(const char **at, char out[64])
{
    size_t n = strcspn(*at, "|");
    if (n == 0 || n >= 64)
        return false;
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n + ((*at)[n] == '|');
    return true;
}

static void make_names(void)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    char name[64];
    for (size_t i = 0; i < GROUPS; i++)
        for (const char *at = groups[i].names; next_name(&at, name) && name_count < MOST_NAMES;) {
            scry_words_of_text(&words, name, strlen(name));
            names[name_count].words = scry_strdup(scry_buf_str(&words));
            names[name_count].size = words.size;
            names[name_count++].group = i;
        }
    scry_buf_dispose(&words);
}

static void put(scry_buf *out, uint32_t place)
{
    scry_buf_append(out, &place, sizeof place);
}

static void add_countries(scry_buf *out, const char *codes)
{
    const scry_places_code *all = scry_places_codes();
    for (; *codes; codes += 2 + (codes[2] == ' '))
        for (size_t i = 0; i < scry_places_head()->codes; i++)
            if (memcmp(all[i].code, codes, 2) == 0 && !all[i].code[2] && scry_place_kind_of(all[i].place) == SCRY_PLACE_COUNTRY)
                put(out, all[i].place);
}

static void add_cities(scry_buf *out, const char *box)
{
    double side[4];
    char *at = (char *)box;
    for (int i = 0; i < 4; i++)
        side[i] = strtod(at, &at) * 1e4;
    const scry_places_record *all = scry_places_records();
    const scry_places_header *h = scry_places_head();
    for (uint32_t i = h->countries + h->regions; i < scry_places_count(); i++)
        if (all[i].latitude >= side[0] && all[i].longitude >= side[1] && all[i].latitude <= side[2] && all[i].longitude <= side[3])
            put(out, i);
}

void scry_place_group_add(scry_buf *out, const char *words)
{
    pthread_once(&names_once, make_names);
    size_t i = 0;
    while (i < name_count && strcmp(names[i].words, words) != 0)
        i++;
    const char *of = i < name_count ? groups[names[i].group].of : "";
    if (of[0] == '=') {
        scry_buf found = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
        if (scry_places_of_text(&found, of + 1))
            scry_buf_append(out, found.data, found.size);
        scry_buf_dispose(&found);
    } else if (of[0] >= 'A') {
        add_countries(out, of);
    } else if (of[0]) {
        add_cities(out, of);
    }
}

const char *scry_place_group_begins(const char *list, size_t *size)
{
    const char *found = NULL;
    pthread_once(&names_once, make_names);
    for (size_t i = 0; i < name_count; i++)
        if (names[i].size > *size && strncmp(list, names[i].words, names[i].size) == 0) {
            found = names[i].words;
            *size = names[i].size;
        }
    return found;
}

void scry_place_group_names(void (*offer)(void *arg, const char *name), void *arg)
{
    char name[64];
    for (size_t i = 0; i < GROUPS; i++)
        for (const char *at = groups[i].names; next_name(&at, name);)
            offer(arg, name);
}
