#include "engine/date_lexicon.h"

#include "base/utf8.h"

#include <string.h>

/* Each row: forms separated by spaces, folded (so й is и, ё is е, ü is u). After a ~ a form may end anywhere; a * stands for an
 * ending of at most two letters. */
static const struct {
    const char *forms;
    scry_date_word_kind kind;
    int value;
} lexicon[] = {
    { "jan~uary янв~арь январ* jan~uar janv~ier ene~ro", SCRY_DATE_MONTH, 1 },
    { "feb~ruary фев~раль феврал* feb~ruar fev~rier feb~rero", SCRY_DATE_MONTH, 2 },
    { "mar~ch мар~т март* mar~z mars mar~zo", SCRY_DATE_MONTH, 3 },
    { "apr~il апр~ель апрел* avr~il abr~il", SCRY_DATE_MONTH, 4 },
    { "may маи мая мае маю mai mayo", SCRY_DATE_MONTH, 5 },
    { "jun~e июн~ь июн* jun~i juin jun~io", SCRY_DATE_MONTH, 6 },
    { "jul~y июл~ь июл* jul~i juil~let jul~io", SCRY_DATE_MONTH, 7 },
    { "aug~ust авг~уст август* aout agosto", SCRY_DATE_MONTH, 8 },
    { "sep~tember сен~тябрь сентябр* sep~tembre sep~tiembre", SCRY_DATE_MONTH, 9 },
    { "oct~ober окт~ябрь октябр* okt~ober oct~obre oct~ubre", SCRY_DATE_MONTH, 10 },
    { "nov~ember ноя~брь ноябр* nov~embre nov~iembre", SCRY_DATE_MONTH, 11 },
    { "dec~ember дек~абрь декабр* dez~ember dec~embre dic~iembre", SCRY_DATE_MONTH, 12 },

    { "spring весн* весенн* fruhling fruhjahr printemps primavera", SCRY_DATE_SEASON, 3 },
    { "summer лето лета летом лету лете летн* sommer ete verano", SCRY_DATE_SEASON, 6 },
    { "autumn fall осен* осенн* herbst automne otono", SCRY_DATE_SEASON, 9 },
    { "winter зим* зимн* hiver invierno", SCRY_DATE_SEASON, 12 },

    { "sun~day воскресень* sonntag dimanche domingo", SCRY_DATE_WEEKDAY, 0 },
    { "mon~day понедельник* montag lundi lunes", SCRY_DATE_WEEKDAY, 1 },
    { "tue~sday вторник* dienstag mardi martes", SCRY_DATE_WEEKDAY, 2 },
    { "wed~nesday сред* mittwoch mercredi miercoles", SCRY_DATE_WEEKDAY, 3 },
    { "thu~rsday четверг* donnerstag jeudi jueves", SCRY_DATE_WEEKDAY, 4 },
    { "fri~day пятниц* freitag vendredi viernes", SCRY_DATE_WEEKDAY, 5 },
    { "sat~urday суббот* samstag sonnabend samedi sabado", SCRY_DATE_WEEKDAY, 6 },
    { "weekend weekends выходн* выходными wochenende week-end", SCRY_DATE_WEEKEND, 0 },

    { "christmas xmas weihnacht* noel navidad", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_CHRISTMAS },
    { "heiligabend nochebuena", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_CHRISTMAS_EVE },
    { "рождеств*", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_RUSSIAN_CHRISTMAS },
    { "new новыи нового новым новом", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_NEW },
    { "silvester nochevieja", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_NEW_YEARS_EVE },
    { "neujahr", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_NEW_YEARS_DAY },
    { "pentecost whitsun pfingst* pentecote pentecostes", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_PENTECOST },
    { "thanksgiving благодарени*", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_THANKSGIVING },
    { "halloween хэллоуин*", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_HALLOWEEN },
    { "valentine valentines valentinstag", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_VALENTINE },
    { "easter ostern paques pascua", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_EASTER },
    { "пасх*", SCRY_DATE_HOLIDAY, SCRY_HOLIDAY_RUSSIAN_EASTER },
    { "eve", SCRY_DATE_EVE, 0 },
    { "early beginning start начал* anfang debut principios", SCRY_DATE_PART, 1 },
    { "mid middle середин* mitte milieu mediados", SCRY_DATE_PART, 2 },
    { "late end кон* конец ende fin finales", SCRY_DATE_PART, 3 },

    { "quarter quarters квартал* кварталов quartal* trimestre trimestres", SCRY_DATE_QUARTER, 0 },
    { "half halb* halfte halbjahr* половин* полугоди* moitie demi demie mitad medio media semestre semestres", SCRY_DATE_HALF, 0 },

    { "morning утр* vormittag morgen fruh matin matinee manana", SCRY_DATE_DAYTIME, SCRY_DAYTIME_MORNING },
    { "afternoon днем nachmittag apres-midi", SCRY_DATE_DAYTIME, SCRY_DAYTIME_AFTERNOON },
    { "tarde", SCRY_DATE_DAYTIME, SCRY_DAYTIME_SPANISH_TARDE },
    { "evening вечер* abend soir soiree", SCRY_DATE_DAYTIME, SCRY_DAYTIME_EVENING },
    { "night ноч* nacht nuit noche", SCRY_DATE_DAYTIME, SCRY_DAYTIME_NIGHT },
    { "tonight", SCRY_DATE_DAYTIME, SCRY_DAYTIME_TONIGHT },
    { "anoche", SCRY_DATE_DAYTIME, SCRY_DAYTIME_LAST_NIGHT },
    { "holidays vacation vacations sommerferien weihnachtsferien osterferien каникул* каникулами отпуск* ferien urlaub* vacances "
      "vacaciones", SCRY_DATE_VAGUE, 0 },

    { "полгода полугода", SCRY_DATE_UNIT, 'h' },
    { "day день дня tag jour dia", SCRY_DATE_UNIT, 'd' },
    { "days днеи tage tagen jours dias", SCRY_DATE_UNITS, 'd' },
    { "week недел* woche semaine semana", SCRY_DATE_UNIT, 'w' },
    { "weeks wochen semaines semanas", SCRY_DATE_UNITS, 'w' },
    { "month месяц* monat mes", SCRY_DATE_UNIT, 'm' },
    { "months monate monaten mois meses", SCRY_DATE_UNITS, 'm' },
    { "year год* jahr an annee ano г г.", SCRY_DATE_UNIT, 'y' },
    { "years лет jahre jahren ans annees anos", SCRY_DATE_UNITS, 'y' },

    { "a one один одну ein eine einem einer un une una", SCRY_DATE_NUMBER, 1 },
    { "first перв* первого первому erst* premier premiere primer primero primera i", SCRY_DATE_ORDINAL, 1 },
    { "second втор* второго второму zweit* deuxieme seconde segundo segunda ii", SCRY_DATE_ORDINAL, 2 },
    { "third трет* третьего третьему dritt* troisieme tercer tercero tercera iii", SCRY_DATE_ORDINAL, 3 },
    { "fourth четверт* четвертого четвертому viert* quatrieme cuarto cuarta iv", SCRY_DATE_ORDINAL, 4 },
    { "two couple два две пару zwei deux dos", SCRY_DATE_NUMBER, 2 },
    { "three три drei trois tres", SCRY_DATE_NUMBER, 3 },
    { "four четыре vier quatre cuatro", SCRY_DATE_NUMBER, 4 },
    { "five пять funf cinq cinco", SCRY_DATE_NUMBER, 5 },
    { "six шесть sechs seis", SCRY_DATE_NUMBER, 6 },
    { "seven семь sieben sept siete", SCRY_DATE_NUMBER, 7 },
    { "eight восемь acht huit ocho", SCRY_DATE_NUMBER, 8 },
    { "nine девять neun neuf nueve", SCRY_DATE_NUMBER, 9 },
    { "ten десять zehn dix diez", SCRY_DATE_NUMBER, 10 },

    { "last past previous прошл* прошлого прошлому прошлыми последн* последними letzt* vergangen* dernier derniere derniers dernieres pasad* "
      "ultim*", SCRY_DATE_LAST, 0 },
    { "this current эт* этого этому текущ* текущего dies* cet cette ce este esta", SCRY_DATE_THIS, 0 },
    { "ago назад hace y", SCRY_DATE_AGO, 0 },
    { "today now сегодня heute aujourd'hui hoy", SCRY_DATE_BACK, 0 },
    { "yesterday вчера gestern hier ayer", SCRY_DATE_BACK, 1 },
    { "позавчера vorgestern avant-hier anteayer", SCRY_DATE_BACK, 2 },

    { "before vor avant antes", SCRY_DATE_BEFORE, 0 },
    { "from since between с со от между von zwischen seit depuis desde entre", SCRY_DATE_FROM, 0 },
    { "to until till through and по и bis und jusqu'a et hasta au", SCRY_DATE_TO, 0 },
    { "до", SCRY_DATE_UP_TO, 0 },
    { "the of in on at all during в во на за im am der den des dem das le la les l' du en de del el los il por", SCRY_DATE_FILLER, 0 },
};

void scry_date_fold(scry_buf *out, const char *text)
{
    scry_runes r = SCRY_RUNES_INIT(1 << 10);
    size_t kept = 0;
    scry_runes_decode(&r, text, strlen(text));
    scry_runes_nfkd(&r, SCRY_UNICODE_RUST);
    scry_runes_lower_each(&r, SCRY_UNICODE_RUST);
    for (size_t i = 0; i < r.n; i++)
        if (r.at[i] < 0x300 || r.at[i] > 0x36F)
            r.at[kept++] = r.at[i];
    r.n = kept;
    scry_runes_encode(&r, out);
    scry_runes_dispose(&r);
}

/* Whether `word` is the form of `length` bytes: "jan~uary", "январ*", "may". */
static bool is_form(const char *word, size_t n, const char *form, size_t length)
{
    const char *cut = memchr(form, '~', length);
    size_t stem = cut ? (size_t)(cut - form) : length - (form[length - 1] == '*');
    if (n < stem || memcmp(word, form, stem) != 0)
        return false;
    if (cut)
        return n - stem <= length - stem - 1 && memcmp(word + stem, cut + 1, n - stem) == 0;
    return form[length - 1] == '*' ? scry_utf8_count(word + stem, n - stem) <= 2 : n == stem;
}

bool scry_date_lookup(const char *word, size_t n, scry_date_word *out)
{
    if (n > 3 && word[n - 1] == '.')   /* an abbreviation */
        n--;
    for (size_t i = 0; n && i < sizeof lexicon / sizeof *lexicon; i++)
        for (const char *form = lexicon[i].forms; *form; form += *form == ' ') {
            size_t length = strcspn(form, " ");
            if (is_form(word, n, form, length)) {
                *out = (scry_date_word){ lexicon[i].kind, lexicon[i].value, 0 };
                return true;
            }
            form += length;
        }
    return false;
}
