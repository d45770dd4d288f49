/* language.c - guesses the language of a text of a few words.
 *
 * Most scripts belong to one language that people search in, so that the script decides. In Latin, Cyrillic, Arabic and Han,
 * letters that only some languages have and the most frequent words of captions decide between the larger languages. A
 * single word without such letters is taken as the script's first language; for certainty the caller names it.
 */
#include "tokenizer/language.h"

#include "base/utf8.h"

#include <string.h>

enum { WORD_POINTS = 2, LETTER_POINTS = 2, MAX_BYTES = 2000 };

typedef struct language {
    const char *code;
    const char *letters;   /* lower case */
    const char *words;     /* lower case, each between spaces */
} language;

/* In the order in which a tie is resolved. */
static const language latin[] = {
    { "eng_Latn", "", " a an the of in on at with and is are by for from to near his her two three man woman people dog cat old young red blue white " },
    { "deu_Latn", "ßäöü", " ein eine einem einen einer eines der die das den dem des und mit auf im in am an vor von zu zwei drei ist sind über "
      "unter hinter neben bei beim vom zum zur mann frau hund katze kind kinder leute junge mädchen strand haus alte alter roter rote rotes " },
    { "fra_Latn", "çéèêëàâùûœôî", " le la les un une des du de et à au aux en dans sur avec sous devant derrière près par pour deux trois est sont "
      "homme femme chien chat enfant enfants gens plage maison rouge bleu blanc vieux fille garçon d l " },
    { "spa_Latn", "ñ¿¡áíóú", " el la los las un una unos unas de del y en con por para sobre al bajo junto dos tres es son hombre mujer perro "
      "gato niño niños gente playa casa rojo azul blanco viejo chica " },
    { "por_Latn", "ãõçâêáéíóúà", " o a os as um uma uns umas de do da dos das e em no na nos nas com por para sobre ao pelo dois duas três "
      "homem mulher cão cachorro gato criança crianças pessoas praia casa vermelho azul branco " },
    { "ita_Latn", "àèìòù", " il lo la i gli le un uno una di del della dei delle e in nel nella con su sul sulla per da dal al due tre "
      "uomo donna cane gatto bambino bambini persone spiaggia casa rosso blu bianco vecchio davanti " },
    { "nld_Latn", "ë", " de het een en van in op met bij voor aan naast onder achter door twee drie is zijn man vrouw hond kat kind kinderen "
      "mensen strand huis rode oude witte jongen meisje " },
    { "pol_Latn", "ąęłśźżćńó", " w we na z ze i do od pod przed obok przy nad jest są dwa dwie dwóch trzy mężczyzna kobieta pies kot dziecko dzieci "
      "ludzie dom czerwony biały stary " },
    { "ces_Latn", "ěščřžýůáíé", " v ve na s se a do od pod před vedle u nad je jsou dva dvě tři muž žena pes kočka dítě děti lidé dům starý bílý " },
    { "slk_Latn", "ľĺŕťďôäščžýáíé", " v vo na s so a do od pod pred vedľa pri nad je sú dva dvaja dve tri muž žena pes mačka dieťa deti ľudia dom starý biely " },
    { "hun_Latn", "őűáéíóöüú", " a az egy és két három van férfi nő kutya macska gyerek gyerekek emberek ház mellett alatt előtt mögött piros fehér öreg " },
    { "ron_Latn", "ășțşţâî", " un o și cu pe în la de din lângă sub este sunt doi două trei bărbat femeie câine pisică copil copii oameni casă roșu alb " },
    { "tur_Latn", "ğışçöü", " bir ve ile iki üç olan için adam kadın köpek kedi çocuk çocuklar insanlar ev kırmızı beyaz yaşlı üzerinde "
      "içinde yanında altında " },
    { "swe_Latn", "åäö", " en ett och på i med vid av under framför är två tre man kvinna hund katt barn människor strand hus röd vit gammal som " },
    { "dan_Latn", "æøå", " en et og på i med ved af under foran er to tre mand kvinde hund kat barn børn mennesker strand hus rød hvid gammel der " },
    { "nob_Latn", "æøå", " en et ei og på i med ved av under foran er to tre mann kvinne hund katt barn mennesker strand hus rød hvit gammel som " },
    { "fin_Latn", "äö", " ja on ovat kaksi kolme mies nainen koira kissa lapsi lapset ihmisiä talo punainen valkoinen vanha rannalla pöydällä "
      "metsässä vieressä edessä alla päällä kanssa " },
    { "est_Latn", "õäöü", " ja on kaks kolm mees naine koer kass laps lapsed inimesed maja punane valge vana rannas laual metsas kõrval ees all peal koos " },
    { "lvs_Latn", "āēīūķļņģčšž", " un uz ar pie zem pirms ir divi trīs vīrietis sieviete suns kaķis bērns bērni cilvēki māja " },
    { "lit_Latn", "ėųįūčšžąę", " ir ant su prie po prieš yra du trys vyras moteris šuo katė vaikas vaikai žmonės namas " },
    { "hrv_Latn", "čćšžđ", " na u i s sa uz ispred pored pod je su dva dvije tri čovjek žena pas mačka dijete djeca ljudi kuća crveni bijeli " },
    { "slv_Latn", "čšž", " na v in s z ob pred poleg pod je so dva dve tri moški ženska pes mačka otrok otroci ljudje hiša rdeč bel " },
    { "cat_Latn", "çàèòïí", " el la els les un una uns unes de del amb i a al sobre sota davant dos dues tres home dona gos gat nen nens gent platja casa " },
    { "isl_Latn", "ðþáéíóúýæö", " og á í með við undir fyrir er eru tveir tvær þrír maður kona hundur köttur barn börn fólk hús " },
    { "vie_Latn", "ạảấầẩẫậắằẳẵặếềểễệịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơưđ", " một hai ba và với trên trong của con chó mèo người trẻ em nhà " },
    { "ind_Latn", "", " yang di dan dengan ke dari pada sebuah seorang seekor dua tiga pria wanita anjing kucing anak orang pantai rumah merah putih tua "
      "sedang atas bawah " },
    { "tgl_Latn", "", " ang ng sa at na mga isang may dalawang tatlong lalaki babae aso pusa bata tao bahay pula puti " },
    { "swh_Latn", "", " na ya wa kwa katika kwenye juu chini mbwa paka mtu watu mtoto watoto mwanamke mwanaume nyumba wawili watatu " },
    { "sqi_Latn", "ëç", " një dhe në me mbi nën para dy tre burrë grua qen mace fëmijë njerëz shtëpi " },
    { "azj_Latn", "əğışçöü", " bir və ilə iki üç kişi qadın it pişik uşaq insanlar ev qırmızı ağ " },
    { "mlt_Latn", "ħġżċ", " il ta u fuq ma fi raġel mara kelb qattus tfal nies dar " }
};

static const language cyrillic[] = {
    { "rus_Cyrl", "ыэё", " и в на с у под над за для из к по мужчина женщина собака кошка дети люди " },
    { "ukr_Cyrl", "іїєґ", " і й та в у на з із під над для чоловік жінка собака кіт діти люди " },
    { "bel_Cyrl", "ўі", " і ў на з пад над для мужчына жанчына сабака кот дзеці людзі " },
    { "bul_Cyrl", "ъ", " и в на с със до под пред за от мъж жена куче котка деца хора един една две " },
    { "srp_Cyrl", "ђћљњџј", " и у на са поред испод испред од човек жена пас мачка деца људи " },
    { "mkd_Cyrl", "ѓќѕљњџј", " и во на со до под пред од маж жена куче мачка деца луѓе " },
    { "kaz_Cyrl", "әғқңұүһіө", " және мен бен пен ер әйел ит мысық балалар адамдар " },
    { "khk_Cyrl", "өү", " ба нь дээр дотор хажууд хүн эрэгтэй эмэгтэй нохой муур хүүхдүүд " },
    { "kir_Cyrl", "өүң", " жана менен эркек аял ит мышык балдар адамдар " },
    { "tat_Cyrl", "әөүҗңһ", " һәм белән ир хатын эт мәче балалар кешеләр " },
    { "tgk_Cyrl", "ӣӯҳҷғқ", " ва дар бо аз мард зан саг гурба кӯдакон одамон " }
};

static const language arabic[] = {
    { "arb_Arab", "ةىأإؤئ", " في على من مع و إلى كلب رجل امرأة " },
    { "pes_Arab", "پچژگکی", " در با از و به روی یک سگ مرد زن " },
    { "urd_Arab", "پچژگکیٹڈڑںےہھ", " میں کے کی پر ایک اور کتا آدمی عورت " },
    { "ckb_Arab", "ەێۆڕڵ", " لە و بە پیاو ژن سەگ " },
    { "uig_Arab", "ۇۋېۈڭ", " ۋە بىلەن ئىت ئەر ئايال " },
    { "pbt_Arab", "ښځڅډړټ", " په او د سړی ښځه سپی " }
};

/* Characters that are written in one of the two ways only. */
static const language han[] = {
    { "zho_Hans", "个们这国说时会来对为学发开车长门马鸟鱼红绿蓝猫边树东见风飞云龙岛书两张", "" },
    { "zho_Hant", "個們這國說時會來對為學發開車長門馬鳥魚紅綠藍貓邊樹東見風飛雲龍島書兩張", "" }
};

/* Scripts: where their letters lie, and what they are read as. */
typedef struct script {
    uint32_t from, to;
    const char *code;            /* the language; NULL: chosen from the list */
    const language *list;
    size_t count;
} script;

#define CHOOSE(list) NULL, list, sizeof list / sizeof *list
#define ONLY(code) code, NULL, 0

static const script scripts[] = {
    { 0x41, 0x24F, CHOOSE(latin) }, { 0x1E00, 0x1EFF, CHOOSE(latin) },
    { 0x400, 0x52F, CHOOSE(cyrillic) },
    { 0x600, 0x6FF, CHOOSE(arabic) }, { 0x750, 0x77F, CHOOSE(arabic) },
    { 0x3040, 0x30FF, ONLY("jpn_Jpan") },
    { 0x4E00, 0x9FFF, CHOOSE(han) }, { 0x3400, 0x4DBF, CHOOSE(han) },
    { 0xAC00, 0xD7A3, ONLY("kor_Hang") }, { 0x1100, 0x11FF, ONLY("kor_Hang") },
    { 0x370, 0x3FF, ONLY("ell_Grek") }, { 0x1F00, 0x1FFF, ONLY("ell_Grek") },
    { 0x530, 0x58F, ONLY("hye_Armn") }, { 0x590, 0x5FF, ONLY("heb_Hebr") },
    { 0x900, 0x97F, ONLY("hin_Deva") }, { 0x980, 0x9FF, ONLY("ben_Beng") }, { 0xA00, 0xA7F, ONLY("pan_Guru") },
    { 0xA80, 0xAFF, ONLY("guj_Gujr") }, { 0xB00, 0xB7F, ONLY("ory_Orya") }, { 0xB80, 0xBFF, ONLY("tam_Taml") },
    { 0xC00, 0xC7F, ONLY("tel_Telu") }, { 0xC80, 0xCFF, ONLY("kan_Knda") }, { 0xD00, 0xD7F, ONLY("mal_Mlym") },
    { 0xD80, 0xDFF, ONLY("sin_Sinh") }, { 0xE00, 0xE7F, ONLY("tha_Thai") }, { 0xE80, 0xEFF, ONLY("lao_Laoo") },
    { 0xF00, 0xFFF, ONLY("bod_Tibt") }, { 0x1000, 0x109F, ONLY("mya_Mymr") }, { 0x10A0, 0x10FF, ONLY("kat_Geor") },
    { 0x1200, 0x137F, ONLY("amh_Ethi") }, { 0x1780, 0x17FF, ONLY("khm_Khmr") }, { 0x2D30, 0x2D7F, ONLY("tzm_Tfng") }
};

enum { SCRIPTS = sizeof scripts / sizeof *scripts };

static bool is_letter(uint32_t c)
{
    return c >= 0xC0 ? c != 0xD7 && c != 0xF7 : (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* The script of most letters; kana decide for Japanese however much Han is between them. NULL: there are no letters. */
static const script *main_script(const scry_runes *r)
{
    size_t seen[SCRIPTS] = { 0 }, best = SCRIPTS;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < SCRIPTS && is_letter(r->at[i]); k++)
            if (r->at[i] >= scripts[k].from && r->at[i] <= scripts[k].to)
                seen[k]++;
    for (size_t k = 0; k < SCRIPTS; k++) {
        if (scripts[k].from == 0x3040 && seen[k])
            return &scripts[k];
        if (seen[k] && (best == SCRIPTS || seen[k] > seen[best]))
            best = k;
    }
    return best < SCRIPTS ? &scripts[best] : NULL;
}

static bool has_letter(const char *letters, uint32_t c)
{
    char bytes[5] = "";
    bytes[scry_utf8_put(bytes, c)] = '\0';
    return strstr(letters, bytes) != NULL;
}

static size_t count_letters(const char *letters, const scry_runes *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->at[i] >= 0x80 && has_letter(letters, r->at[i]);
    return n;
}

/* The words of r that are in the list. */
static size_t count_words(const char *list, const scry_runes *r)
{
    char word[64] = " ";
    size_t n = 1, found = 0;
    for (size_t i = 0; i <= r->n; i++) {
        if (i < r->n && is_letter(r->at[i])) {
            if (n + 6 < sizeof word)
                n += scry_utf8_put(word + n, r->at[i]);
            continue;
        }
        memcpy(word + n, " ", 2);
        found += n > 1 && strstr(list, word) != NULL;
        n = 1;
    }
    return found;
}

static const char *choose(const script *s, const scry_runes *r)
{
    size_t most = 0, best = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t points = LETTER_POINTS * count_letters(s->list[i].letters, r) + WORD_POINTS * count_words(s->list[i].words, r);
        if (points > most) {
            most = points;
            best = i;
        }
    }
    return s->list[best].code;
}

const char *scry_language_guess(const char *text, size_t n)
{
    scry_runes r = SCRY_RUNES_INIT(MAX_BYTES);
    scry_runes_decode(&r, text, n < MAX_BYTES ? n : MAX_BYTES);
    scry_runes_lower_each(&r, SCRY_UNICODE_RUST);
    const script *s = r.failed ? NULL : main_script(&r);
    const char *code = !s ? SCRY_LANGUAGE_DEFAULT : s->code ? s->code : choose(s, &r);
    scry_runes_dispose(&r);
    return code;
}

bool scry_language_is_code(const char *name)
{
    static const char form[] = "aaa_Aaaa";
    size_t i = 0;
    for (; form[i] && name[i]; i++)
        if (form[i] == '_' ? name[i] != '_' : form[i] == 'a' ? name[i] < 'a' || name[i] > 'z' : name[i] < 'A' || name[i] > 'Z')
            return false;
    return !form[i] && !name[i];
}
