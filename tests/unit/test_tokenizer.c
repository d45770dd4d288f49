/* Tokenizers: the ids of the references, line by line, by checksum; damaged vocabularies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "tokenizer/language.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAPACITY = 77 };

static char *golden(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/tokenizers/%s", top ? top : ".", name);
    return strdup(path);
}

static scry_tokenizer *open_golden(const char *name, scry_tokenizer_dialect dialect)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    char *dir = golden(name);
    if (scry_tokenizer_open(&t, dir, dialect, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    free(dir);
    return t;
}

static FILE *open_file(const char *name)
{
    char *path = golden(name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    free(path);
    return f;
}

/* The inverse of escape() in tools/parity/tokenizer_lines.py. */
static size_t unescape(char *line, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        char c = line[i];
        if (c == '\\' && i + 1 < n) {
            c = line[++i];
            c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == '0' ? '\0' : c);
        }
        line[to++] = c;
    }
    return to;
}

/* zlib's CRC-32 over the ids as little-endian 32-bit words. */
static uint32_t checksum(const int32_t *ids, int n)
{
    uint32_t crc = 0xFFFFFFFF;
    for (int i = 0; i < n * 4; i++) {
        crc ^= (uint32_t)ids[i / 4] >> (i % 4 * 8) & 0xFF;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

/* Every golden line through `t`; returns how many were compared. */
static int compare_lines(const scry_tokenizer *t, const char *checksums)
{
    FILE *lines = open_file("lines.txt"), *sums = open_file(checksums);
    char *line = NULL, want[32];
    size_t room = 0;
    ssize_t n;
    int number = 0, compared = 0;
    while ((n = getline(&line, &room, lines)) > 0) {
        int32_t ids[CAPACITY];
        number++;
        assert_non_null(fgets(want, sizeof want, sums));
        if (strncmp(want, "mojibake", 8) == 0)
            continue;
        size_t length = unescape(line, (size_t)n - 1);
        int count = scry_tokenizer_encode(t, line, length, ids, CAPACITY, NULL, NULL);
        assert_true(count >= 1);
        if (checksum(ids, count) != strtoul(want, NULL, 16))
            fail_msg("%s: other ids than the reference's for line %d", checksums, number);
        compared++;
    }
    free(line);
    fclose(lines);
    fclose(sums);
    return compared;
}

static void clip_ids_are_transformers(void **state)
{
    const char *const forms[] = { "clip_json", "clip_files" };
    for (int i = 0; i < 2; i++) {
        scry_tokenizer *t = open_golden(forms[i], SCRY_TOKENIZER_HF);
        assert_true(compare_lines(t, "clip-hf.crc") > 2000);
        scry_tokenizer_free(t);
    }
}

static void clip_ids_are_open_clips(void **state)
{
    scry_tokenizer *t = open_golden(".", SCRY_TOKENIZER_OPEN_CLIP);   /* no files: scry's own vocabulary */
    assert_int_equal(scry_tokenizer_vocab_size(t), 49408);
    assert_int_equal(scry_tokenizer_end_id(t), 49407);
    assert_true(compare_lines(t, "clip-open_clip.crc") > 2000);
    scry_tokenizer_free(t);
}

static void unigram_ids_are_tokenizers(void **state)
{
    const char *const forms[][2] = { { "unigram", "unigram.crc" },
                                     { "unigram_charsmap", "unigram_charsmap.crc" } };
    for (int i = 0; i < 2; i++) {
        scry_tokenizer *t = open_golden(forms[i][0], SCRY_TOKENIZER_HF);
        assert_true(compare_lines(t, forms[i][1]) > 2000);
        scry_tokenizer_free(t);
    }
}

static void sentence_bpe_ids_are_tokenizers(void **state)
{
    scry_tokenizer *t = open_golden("sentence_bpe", SCRY_TOKENIZER_HF);
    assert_true(compare_lines(t, "sentence_bpe.crc") > 2000);
    scry_tokenizer_free(t);
}

static void nllb_ids_are_tokenizers(void **state)
{
    scry_tokenizer *t = open_golden("nllb", SCRY_TOKENIZER_HF);
    assert_true(compare_lines(t, "nllb.crc") > 2000);
    scry_tokenizer_free(t);
}

static void spiece_ids_are_transformers(void **state)
{
    scry_tokenizer *t = open_golden("spiece", SCRY_TOKENIZER_SIGLIP);
    assert_true(compare_lines(t, "spiece.crc") > 2000);
    assert_int_equal(scry_tokenizer_pad_id(t), 1);
    assert_string_equal(scry_tokenizer_files(t)[0], "spiece.model");
    scry_tokenizer_free(t);
}

/* The first id of a text. */
static int32_t first_id(const scry_tokenizer *t, const char *text)
{
    int32_t ids[CAPACITY];
    assert_true(scry_tokenizer_encode(t, text, strlen(text), ids, CAPACITY, NULL, NULL) >= 2);
    return ids[0];
}

static void texts_begin_with_their_language(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = open_golden("nllb", SCRY_TOKENIZER_HF);
    assert_true(scry_tokenizer_has_languages(t));
    int32_t english = first_id(t, "ein Hund");
    assert_int_equal(scry_tokenizer_set_language(t, "auto", &err), 0);
    int32_t german = first_id(t, "ein weißer Hund am Strand");
    assert_int_not_equal(german, english);
    assert_int_equal(first_id(t, "a white dog on the beach"), english);
    assert_int_equal(first_id(t, "un perro en la playa"), english);   /* Spanish is not among its languages */
    assert_int_equal(first_id(t, ""), english);
    scry_tokenizer_free(t);
    t = open_golden("nllb", SCRY_TOKENIZER_HF);
    assert_int_equal(scry_tokenizer_set_language(t, "deu", &err), 0);
    assert_int_equal(first_id(t, "a dog"), german);
    assert_int_equal(scry_tokenizer_set_language(t, "zho", &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "written in several ways"));
    assert_int_equal(scry_tokenizer_set_language(t, "tlh_Piqd", &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "does not know the language \"tlh_Piqd\""));
    assert_int_equal(scry_tokenizer_set_language(t, "<mask>", &err), SCRY_EINVALID);
    scry_tokenizer_free(t);
}

static void languages_are_guessed(void **state)
{
    static const char *const texts[][2] = {
        { "eng_Latn", "a white dog runs on the beach" }, { "eng_Latn", "sunset" }, { "eng_Latn", "" }, { "eng_Latn", "1234 ?!" },
        { "deu_Latn", "ein weißer Hund am Strand" }, { "deu_Latn", "Kinder spielen im Schnee" },
        { "fra_Latn", "un chien blanc sur la plage" }, { "spa_Latn", "un perro blanco en la playa" },
        { "por_Latn", "um cachorro branco na praia" }, { "ita_Latn", "un cane bianco sulla spiaggia" },
        { "nld_Latn", "een witte hond op het strand" }, { "pol_Latn", "biały pies na plaży" }, { "ces_Latn", "bílý pes běží na pláži" },
        { "hun_Latn", "egy fehér kutya a tengerparton" }, { "ron_Latn", "un câine alb pe plajă" },
        { "tur_Latn", "plajda beyaz bir köpek" }, { "swe_Latn", "en vit hund på stranden" }, { "dan_Latn", "to mænd og en hund ved huset" },
        { "fin_Latn", "valkoinen koira rannalla" }, { "vie_Latn", "một con chó trắng trên bãi biển" },
        { "ind_Latn", "seekor anjing putih di pantai" }, { "swh_Latn", "mbwa mweupe kwenye ufuo" },
        { "rus_Cyrl", "белая собака на пляже" }, { "ukr_Cyrl", "білий собака на пляжі" }, { "bul_Cyrl", "бяло куче на плажа" },
        { "ell_Grek", "ένας άσπρος σκύλος στην παραλία" }, { "heb_Hebr", "כלב לבן על החוף" }, { "arb_Arab", "كلب أبيض على الشاطئ" },
        { "pes_Arab", "یک سگ سفید در ساحل" }, { "urd_Arab", "ساحل پر ایک سفید کتا" }, { "hin_Deva", "समुद्र तट पर एक सफ़ेद कुत्ता" },
        { "tha_Thai", "สุนัขสีขาวบนชายหาด" }, { "kor_Hang", "해변의 하얀 개" }, { "jpn_Jpan", "海岸の白い犬" },
        { "zho_Hans", "沙滩上的一只白狗和两个孩子" }, { "zho_Hant", "沙灘上的一隻白狗和兩個孩子" }, { "kat_Geor", "თეთრი ძაღლი სანაპიროზე" },
        { "jpn_Jpan", "a 犬 の photo" }, { "rus_Cyrl", "белая собака and dog" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(scry_language_guess(texts[i][1], strlen(texts[i][1])), texts[i][0]);
    char *page = malloc(100000);
    memset(page, 'x', 100000);
    assert_string_equal(scry_language_guess(page, 100000), "eng_Latn");
    free(page);
    assert_true(scry_language_is_code("deu_Latn"));
    static const char *const others[] = { "", "deu", "deu_latn", "DEU_Latn", "deu_Latn ", "<mask>", "deu-Latn" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(scry_language_is_code(others[i]));
}

static void wordpiece_ids_are_transformers(void **state)
{
    scry_tokenizer *t = open_golden("wordpiece", SCRY_TOKENIZER_HF);
    assert_true(compare_lines(t, "wordpiece.crc") > 2000);
    scry_tokenizer_free(t);
}

static void long_texts_are_cut(void **state)
{
    scry_tokenizer *t = open_golden(".", SCRY_TOKENIZER_OPEN_CLIP);
    int32_t ids[CAPACITY], whole[CAPACITY];
    bool cut = true;
    assert_int_equal(scry_tokenizer_encode(t, "a cat", 5, ids, CAPACITY, &cut, NULL), 4);
    assert_false(cut);
    assert_int_equal(scry_tokenizer_encode(t, "a cat", 5, ids, 4, &cut, NULL), 4);
    assert_false(cut);
    assert_int_equal(scry_tokenizer_encode(t, "a cat", 5, ids, 3, &cut, NULL), 3);
    assert_true(cut);
    assert_int_equal(ids[2], 49407);
    assert_int_equal(scry_tokenizer_encode(t, "a cat", 5, ids, 2, &cut, NULL), 2);
    assert_int_equal(scry_tokenizer_encode(t, "", 0, ids, 2, &cut, NULL), 2);
    assert_false(cut);

    /* Two million bytes: of words, of one word, of white space, of nested entities. */
    const char *const units[] = { "dogs ", "ha", " ", "amp;", "\xcc\x81\xcc\xa3", "\xe7\x8a\xac", "'" };
    enum { LONG = 2 << 20 };
    char *text = malloc(LONG + 8);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t unit = strlen(units[u]), n = 0;
        for (text[n++] = '&'; n < LONG / (u < 3 ? 1 : 8); n += unit)
            memcpy(text + n, units[u], unit);
        assert_true(scry_tokenizer_encode(t, text, n, ids, CAPACITY, &cut, NULL) > 2);
    }
    free(text);
    /* A cut text has the ids of the whole one. */
    char sentence[3000] = "";
    for (int i = 0; i < 200; i++)
        strcat(sentence, "two dogs run ");
    assert_int_equal(scry_tokenizer_encode(t, sentence, strlen(sentence), whole, CAPACITY, &cut, NULL), 77);
    assert_int_equal(scry_tokenizer_encode(t, sentence, 400, ids, CAPACITY, &cut, NULL), 77);
    assert_memory_equal(ids, whole, sizeof ids);
    scry_tokenizer_free(t);
}

static void invalid_utf8_reads_as_replacement_characters(void **state)
{
    static const struct {
        const char *bad, *good;
    } cases[] = {
        { "a\xff" "b", "a\xef\xbf\xbd" "b" },
        { "\xe2\x82", "\xef\xbf\xbd" },                               /* cut off: one */
        { "\xe2\x82(", "\xef\xbf\xbd(" },
        { "\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },   /* a surrogate */
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x98\x41", "\xef\xbf\xbd\x41" },
    };
    scry_tokenizer *t = open_golden("clip_json", SCRY_TOKENIZER_HF);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t a[CAPACITY], b[CAPACITY];
        int n = scry_tokenizer_encode(t, cases[i].bad, strlen(cases[i].bad), a, CAPACITY, NULL, NULL);
        assert_int_equal(n, scry_tokenizer_encode(t, cases[i].good, strlen(cases[i].good), b, CAPACITY, NULL,
                                                  NULL));
        assert_memory_equal(a, b, (size_t)n * sizeof *a);
    }
    scry_tokenizer_free(t);
}

/* ---- damaged files ---- */

static char scratch[64];

static void write_scratch(const char *name, const char *text, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void write_text(const char *name, const char *text)
{
    write_scratch(name, text, strlen(text));
}

static int make_scratch(void **state)
{
    strcpy(scratch, "/tmp/scry-tokenizer-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static void unlink_scratch(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    unlink(path);
}

static int drop_scratch(void **state)
{
    static const char *const names[] = { "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt",
                                         "tokenizer_config.json" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink_scratch(names[i]);
    return rmdir(scratch);
}

/* What opening the scratch folder says: its code, and a message of one line that holds
 * `part`. */
static void refused(int code, const char *part)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    assert_int_equal(scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, &err), code);
    assert_null(strchr(err.message, '\n'));
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void refused_json(const char *text, const char *part)
{
    write_text("tokenizer.json", text);
    refused(SCRY_EINVALID, part);
}

static void damaged_files_are_refused_by_name(void **state)
{
    refused(SCRY_ENOTFOUND, "has no tokenizer");
    refused_json("", "tokenizer.json is damaged");
    refused_json("[]", "an object was expected");
    refused_json("{}", "it has no \"model\"");
    refused_json("{\"model\":{\"type\":\"WordLevel\"}}", "\"WordLevel\" is not supported");
    refused_json("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0", "tokenizer.json is damaged: byte 37");
    refused_json("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}", "impossible id -1");
    refused_json("{\"model\":{\"type\":\"Unigram\",\"unk_id\":9,\"vocab\":[[\"a\",0.5]]},"
                 "\"pre_tokenizer\":{\"type\":\"Metaspace\"}}", "unk_id is not in the vocabulary");
    refused_json("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\",0],[\"a\",1]]},"
                 "\"pre_tokenizer\":{\"type\":\"Metaspace\"}}", "piece 1 occurs twice");
    refused_json("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\"]]}}", "score");
    refused_json("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\",1e400]]}}", "number");
    refused_json("{\"model\":{\"type\":\"Unigram\"},\"normalizer\":{\"type\":\"Nmt\"}}", "\"Nmt\"");
    refused_json("{\"model\":{\"type\":\"Unigram\"},\"normalizer\":{\"type\":\"Precompiled\","
                 "\"precompiled_charsmap\":\"####\"}}", "precompiled_charsmap");
    refused_json("{\"model\":{\"type\":\"Unigram\"},\"pre_tokenizer\":{\"type\":\"Digits\"}}", "\"Digits\"");
    refused_json("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", "BertNormalizer");
}

/* More than one value in a file, and files as large as no tokenizer is, of holes. */
static void what_does_not_belong_is_refused(void **state)
{
    refused_json("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}} {}", "byte 53: the end of the file was expected");
    unlink_scratch("tokenizer.json");
    write_text("merges.txt", "");
    write_text("vocab.json", "{\"a\":0}x");
    refused(SCRY_EINVALID, "vocab.json is damaged: byte 7: the end of the file was expected");
    static const char *const names[] = { "tokenizer.json", "vocab.txt", "merges.txt", "vocab.json" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        if (i < 2) {
            unlink_scratch("vocab.json");
            unlink_scratch("merges.txt");
        } else if (i == 2) {
            write_text("vocab.json", "{\"a\":0}");
        }
        write_text(names[i], "{\"a\":0}");
        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        assert_int_equal(truncate(path, (off_t)600 << 20), 0);
        refused(SCRY_ELIMIT, "600 MB is too large for a tokenizer");
        if (i < 2)
            unlink_scratch(names[i]);
    }
}

/* A real file, truncated at every length and with many single bytes changed: an error or a working
 * tokenizer (also under the sanitizers). */
static void damaged_bytes_do_no_harm(void **state)
{
    const char *const names[] = { "clip_json", "unigram_charsmap" };
    for (int k = 0; k < 2; k++) {
        char name[64];
        scry_buf text = SCRY_BUF_INIT(1 << 20);
        snprintf(name, sizeof name, "%s/tokenizer.json", names[k]);
        char *path = golden(name);
        assert_int_equal(scry_read_file(path, &text, NULL), 0);
        free(path);
        for (size_t i = 0; i < 150; i++) {
            scry_tokenizer *t = NULL;
            int32_t ids[CAPACITY];
            size_t at = i * 2654435761u % text.size;
            char old = text.data[at];
            text.data[at] = (char)(i * 7);
            write_scratch("tokenizer.json", text.data, i % 3 ? text.size : at);
            text.data[at] = old;
            if (scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, NULL) == 0)
                assert_true(scry_tokenizer_encode(t, "a photo", 7, ids, CAPACITY, NULL, NULL) > 0);
            scry_tokenizer_free(t);
        }
        scry_buf_dispose(&text);
    }
}

static void older_files_are_checked(void **state)
{
    write_text("vocab.json", "{\"a\":0,\"<|startoftext|>\":1,\"<|endoftext|>\":2}");
    refused(SCRY_ENOTFOUND, "has no tokenizer");
    write_text("merges.txt", "#version: 0.2\na b\n");
    refused(SCRY_EINVALID, "lacks the piece that merge 1 makes");
    write_text("merges.txt", "#version: 0.2\nab\n");
    refused(SCRY_EINVALID, "line 2 is not a merge");
    write_text("vocab.txt", "[UNK]\n[CLS]\na\n");
    refused(SCRY_EINVALID, "has no [SEP]");
    write_text("vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\na\n");
    refused(SCRY_EINVALID, "piece 4 occurs twice");
}

static void copy_golden(const char *name, const char *as)
{
    scry_buf text = SCRY_BUF_INIT(1 << 20);
    char *path = golden(name);
    assert_int_equal(scry_read_file(path, &text, NULL), 0);
    write_scratch(as, text.data, text.size);
    scry_buf_dispose(&text);
    free(path);
}

static void reads_as(const char *text, const int32_t *want, int n)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    int32_t ids[CAPACITY];
    if (scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_HF, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(scry_tokenizer_encode(t, text, strlen(text), ids, CAPACITY, NULL, NULL), n);
    assert_memory_equal(ids, want, (size_t)n * sizeof *ids);
    scry_tokenizer_free(t);
}

/* Special tokens are those of the checkpoint's configuration, as transformers takes them:
 * the ids below are its own (5.23) for these files. */
static void special_tokens_follow_the_configuration(void **state)
{
    copy_golden("clip_files/vocab.json", "vocab.json");
    copy_golden("clip_files/merges.txt", "merges.txt");
    static const int32_t plain[] = { 3012, 320, 256, 27, 347, 993, 580, 69, 600, 1052, 91, 285, 3013 };
    reads_as("a! <|STARTOFTEXT|>", plain, sizeof plain / sizeof *plain);
    write_text("tokenizer_config.json", "{\"pad_token\":\"!\"}");
    static const int32_t padded[] = { 3012, 320, 0, 27, 347, 993, 580, 69, 600, 1052, 91, 285, 3013 };
    reads_as("a! <|STARTOFTEXT|>", padded, sizeof padded / sizeof *padded);
    write_text("tokenizer_config.json", "{\"bos_token\":{\"content\":\"<|startoftext|>\",\"normalized\":true}}");
    static const int32_t folded[] = { 3012, 320, 256, 3012, 3013 };
    reads_as("a! <|STARTOFTEXT|>", folded, sizeof folded / sizeof *folded);
    write_text("tokenizer_config.json", "{\"eos_token\":\"<eos>\"}");
    refused(SCRY_EINVALID, "has no \"<eos>\"");
    write_text("tokenizer_config.json", "{");
    refused(SCRY_EINVALID, "tokenizer_config.json is not valid JSON");
}

static void follows(scry_tokenizer_dialect dialect, const char *settings, const char *part)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    write_text("tokenizer_config.json", settings);
    int r = scry_tokenizer_open(&t, scratch, dialect, &err);
    if (r < 0 ? !part || !strstr(err.message, part) : part != NULL)
        fail_msg("%s: \"%s\" instead of \"%s\"", settings, r < 0 ? err.message : "accepted", part ? part : "accepted");
    scry_tokenizer_free(t);
}

/* What tokenizer_config.json says, and transformers puts above tokenizer.json, is not passed over. */
static void settings_above_the_file_are_refused(void **state)
{
    const scry_tokenizer_dialect siglip = SCRY_TOKENIZER_SIGLIP, canonical = SCRY_TOKENIZER_OPEN_CLIP_CANONICAL;
    copy_golden("sentence_bpe/tokenizer.json", "tokenizer.json");
#define PADDED(more) "{\"pad_token\":\"<pad>\"" more "}"
    follows(siglip, PADDED(",\"padding_side\":\"right\",\"add_bos_token\":false,\"add_eos_token\":true,\"do_lower_case\":true"), NULL);
    follows(siglip, PADDED(",\"padding_side\":\"left\""), "padding_side is \"left\"");
    follows(canonical, PADDED(",\"padding_side\":\"left\""), NULL);   /* open_clip sets it */
    follows(canonical, PADDED(",\"truncation_side\":\"left\""), "truncation_side is \"left\"");
    follows(siglip, PADDED(",\"add_eos_token\":false"), "add_bos_token and add_eos_token are not what");
    follows(canonical, PADDED(",\"add_bos_token\":true"), "add_bos_token and add_eos_token are not what");
    copy_golden("unigram_charsmap/tokenizer.json", "tokenizer.json");
    follows(siglip, PADDED(",\"do_lower_case\":false"), "do_lower_case is false");
    follows(siglip, PADDED(",\"do_lower_case\":true,\"add_eos_token\":false"), NULL);
    follows(SCRY_TOKENIZER_HF, "{\"truncation_side\":\"left\"}", "truncation_side is \"left\"");
    write_text("tokenizer.json", "{\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":false,\"strip_accents\":null,"
               "\"handle_chinese_chars\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"post_processor\":{\"type\":"
               "\"BertProcessing\",\"sep\":[\"[SEP]\",2],\"cls\":[\"[CLS]\",1]},\"model\":{\"type\":\"WordPiece\",\"vocab\":"
               "{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3}}}");
    follows(SCRY_TOKENIZER_HF, "{\"do_lower_case\":false,\"strip_accents\":true}", NULL);
    follows(SCRY_TOKENIZER_HF, "{\"do_lower_case\":true}", "do_lower_case is true, and in tokenizer.json lowercase is false");
    follows(SCRY_TOKENIZER_HF, "{\"tokenize_chinese_chars\":false}", "and in tokenizer.json handle_chinese_chars is true");
}

/* The padding token of `dialect` in the scratch folder; a refusal says `part`. */
static void pads_with(scry_tokenizer_dialect dialect, int32_t id, const char *part)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_tokenizer *t = NULL;
    if (scry_tokenizer_open(&t, scratch, dialect, &err) < 0)
        fail_msg("%s", err.message);
    int r = scry_tokenizer_read_padding(t, scratch, &err);
    if (r < 0 ? !part || !strstr(err.message, part) : part != NULL)
        fail_msg("\"%s\" instead of \"%s\"", r < 0 ? err.message : "accepted", part ? part : "accepted");
    assert_int_equal(scry_tokenizer_pad_id(t), id);
    scry_tokenizer_free(t);
}

static void padding_is_named_or_usual(void **state)
{
    write_text("vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n[PAD]\n[MASK]\n");
    pads_with(SCRY_TOKENIZER_OPEN_CLIP_SPACES, 4, NULL);
    write_text("tokenizer_config.json", "{\"pad_token\":\"[MASK]\"}");
    pads_with(SCRY_TOKENIZER_OPEN_CLIP_LOWER, 5, NULL);
    write_text("tokenizer_config.json", "{\"pad_token\":\"<pad>\"}");
    pads_with(SCRY_TOKENIZER_OPEN_CLIP_LOWER, -1, "pad_token \"<pad>\" is not among the special tokens");
    write_text("tokenizer_config.json", "{}");
    copy_golden("unigram_charsmap/tokenizer.json", "tokenizer.json");
    pads_with(SCRY_TOKENIZER_OPEN_CLIP_SPACES, -1, "pad_token \"\" is not among the special tokens");
    write_text("tokenizer_config.json", "{\"pad_token\":{\"content\":\"<pad>\"}}");
    pads_with(SCRY_TOKENIZER_OPEN_CLIP_SPACES, 1, NULL);
}

/* As open_clip's strip_sep_token, which does not ask where a [SEP] comes from. */
static void the_end_can_be_stripped(void **state)
{
    static const int32_t plain[] = { 2, 4, 3, 4, 3 }, stripped[] = { 2, 4, 0, 4, 0 };
    scry_tokenizer *t = NULL;
    int32_t ids[CAPACITY];
    write_text("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n");
    assert_int_equal(scry_tokenizer_open(&t, scratch, SCRY_TOKENIZER_OPEN_CLIP_SPACES, NULL), 0);
    assert_int_equal(scry_tokenizer_encode(t, "a [SEP] a", 9, ids, CAPACITY, NULL, NULL), 5);
    assert_memory_equal(ids, plain, sizeof plain);
    scry_tokenizer_strip_end(t);
    assert_int_equal(scry_tokenizer_encode(t, "a [SEP] a", 9, ids, CAPACITY, NULL, NULL), 5);
    assert_memory_equal(ids, stripped, sizeof stripped);
    scry_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip_ids_are_transformers),
        cmocka_unit_test(clip_ids_are_open_clips),
        cmocka_unit_test(unigram_ids_are_tokenizers),
        cmocka_unit_test(sentence_bpe_ids_are_tokenizers), cmocka_unit_test(nllb_ids_are_tokenizers),
        cmocka_unit_test(spiece_ids_are_transformers),
        cmocka_unit_test(texts_begin_with_their_language), cmocka_unit_test(languages_are_guessed),
        cmocka_unit_test(wordpiece_ids_are_transformers),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(invalid_utf8_reads_as_replacement_characters),
        cmocka_unit_test_setup_teardown(damaged_files_are_refused_by_name, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(what_does_not_belong_is_refused, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(damaged_bytes_do_no_harm, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(older_files_are_checked, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(settings_above_the_file_are_refused, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(special_tokens_follow_the_configuration, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(padding_is_named_or_usual, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(the_end_can_be_stripped, make_scratch, drop_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
