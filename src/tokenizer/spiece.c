/* spiece.c - SentencePiece's own file of a unigram model, spiece.model, as SigLIP's processor of transformers writes it, which
 * never writes a tokenizer.json.
 *
 *     ModelProto      1: piece*   { 1: text, 2: score (float), 3: kind }     2: trainer   3: normaliser
 *     trainer         3: algorithm (1: unigram)   24: the mark stands behind words   35: bytes for what is no piece
 *     normaliser      2: table    3: a mark before the text   4: spaces are collapsed   5: spaces become marks
 *
 * What it says is put into the form of a tokenizer.json, for unigram.c. One thing differs: the table's longest match is
 * replaced, wherever it ends (scry_charsmap.longest). Options that SigLIP's files do not use are refused.
 */
#include "tokenizer/tokenizer_internal.h"

#include "base/base64.h"
#include "base/byte_order.h"

#include <math.h>
#include <string.h>

#define MARK "\xE2\x96\x81"

enum { PART_BYTES = 16 << 20, LONGEST_PIECE = 1024 };
enum { KIND_NORMAL = 1, KIND_UNKNOWN = 2, KIND_CONTROL = 3, KIND_USER_DEFINED = 4 };   /* others are as normal ones */

/* ---- protocol buffers ---- */

typedef struct message {
    const char *at, *end;
    bool damaged;
} message;

typedef struct field {
    uint64_t number;
    uint64_t value;      /* of a varint or of four bytes */
    message bytes;       /* of a string or a message in it */
    unsigned wire;       /* 0: varint, 2: bytes, 5: four bytes; others are passed over */
} field;

static uint64_t read_varint(message *m)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (m->at == m->end)
            break;
        unsigned char byte = (unsigned char)*m->at++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return v;
    }
    m->damaged = true;
    return 0;
}

/* The next field; false at the end or where the message is damaged. */
static bool next_field(message *m, field *f)
{
    if (m->damaged || m->at == m->end)
        return false;
    uint64_t tag = read_varint(m);
    size_t n = 0;
    *f = (field){ .number = tag >> 3, .wire = tag & 7 };
    if (f->wire == 0)
        f->value = read_varint(m);
    else if (f->wire == 2)
        n = read_varint(m);
    else if (f->wire == 5 || f->wire == 1)
        n = f->wire == 5 ? 4 : 8;
    else
        m->damaged = true;
    if (n > (size_t)(m->end - m->at))
        m->damaged = true;
    if (m->damaged)
        return false;
    f->bytes = (message){ m->at, m->at + n, false };
    if (f->wire == 5)
        f->value = scry_read_little_endian(m->at, 4);
    m->at += n;
    return true;
}

/* ---- what is in it ---- */

typedef struct spiece {
    scry_tokfile *f;
    scry_error *err;
    const char *end;      /* the text of the end token */
    int64_t end_id, unknown_id;
    bool byte_fallback;
    const char *refused;  /* what is not supported, or NULL */
    scry_buf table, added;   /* base64; JSON */
    scry_json_writer w;   /* of `added` */
} spiece;

static int damaged(const spiece *s)
{
    return scry_fail(s->err, SCRY_EINVALID, "%s is damaged: no model of SentencePiece's", s->f->path);
}

typedef struct piece {
    const char *text;
    size_t n;
    uint64_t kind;
    float score;
} piece;

/* False where the message is damaged, or the piece one that text has no use for. */
static bool parse_piece(piece *p, message m)
{
    field f;
    *p = (piece){ .text = "", .kind = KIND_NORMAL };
    while (next_field(&m, &f)) {
        if (f.number == 1 && f.wire == 2) {
            p->text = f.bytes.at;
            p->n = (size_t)(f.bytes.end - f.bytes.at);
        } else if (f.number == 2 && f.wire == 5) {
            memcpy(&p->score, &(uint32_t){ (uint32_t)f.value }, sizeof p->score);
        } else if (f.number == 3 && f.wire == 0) {
            p->kind = f.value;
        }
    }
    return !m.damaged && p->n > 0 && p->n <= LONGEST_PIECE && scry_utf8_valid(p->text, p->n) && !memchr(p->text, 0, p->n)
        && isfinite(p->score);
}

/* A piece that no text is read as, but that the tokenizer or the padding may name. */
static void add_control(spiece *s, const piece *p, int64_t id)
{
    scry_json_begin(&s->w, '{');
    scry_json_add_int(&s->w, "id", id);
    scry_json_key(&s->w, "content");
    scry_json_put_bytes(&s->w, p->text, p->n);
    scry_json_end(&s->w, '}');
    if (p->kind == KIND_UNKNOWN)
        s->unknown_id = id;
    else if (p->n == strlen(s->end) && memcmp(p->text, s->end, p->n) == 0)
        s->end_id = id;
}

static int read_piece(spiece *s, message m)
{
    piece p;
    int64_t id = (int64_t)s->f->pieces.n;
    if (!parse_piece(&p, m))
        return damaged(s);
    if (p.kind == KIND_USER_DEFINED)
        s->refused = "a user-defined piece";
    else if (p.kind == KIND_UNKNOWN || p.kind == KIND_CONTROL)
        add_control(s, &p, id);
    return scry_pieces_add(&s->f->pieces, p.text, p.n, id, (double)p.score, s->err);
}

static int read_trainer(spiece *s, message m)
{
    field f;
    while (next_field(&m, &f)) {
        if (f.number == 3 && f.value != 1)
            s->refused = "an algorithm other than unigram";
        else if (f.number == 24 && f.value)
            s->refused = "a mark behind words";
        else if (f.number == 35)
            s->byte_fallback = f.value;
    }
    return m.damaged ? damaged(s) : 0;
}

static int read_normaliser(spiece *s, message m)
{
    field f;
    while (next_field(&m, &f)) {
        if (f.number == 2 && f.wire == 2) {
            scry_buf_clear(&s->table);
            if (f.bytes.end > f.bytes.at)
                scry_base64_append(&s->table, f.bytes.at, (size_t)(f.bytes.end - f.bytes.at));
        } else if (f.number >= 3 && f.number <= 5 && !f.value) {
            s->refused = f.number == 3 ? "add_dummy_prefix false" : f.number == 4 ? "remove_extra_whitespaces false" : "escape_whitespaces false";
        }
    }
    return m.damaged ? damaged(s) : 0;
}

static int read_part(spiece *s, const field *f)
{
    if (f->wire != 2 || f->number < 1 || f->number > 3)
        return 0;
    return f->number == 1 ? read_piece(s, f->bytes) : f->number == 2 ? read_trainer(s, f->bytes) : read_normaliser(s, f->bytes);
}

static int read_model(spiece *s, message m)
{
    const size_t size = (size_t)(m.end - m.at);
    field f;
    /* A piece has a tag and a length, and its text these and a byte. */
    int r = scry_pieces_reserve(&s->f->pieces, size / 5 + 1, size, SCRY_PIECES_SCORES, s->f->path, s->err);
    while (r == 0 && next_field(&m, &f))
        r = read_part(s, &f);
    if (r < 0)
        return r;
    if (m.damaged || s->f->pieces.n == 0 || s->unknown_id < 0)
        return damaged(s);
    if (s->refused)
        return scry_fail(s->err, SCRY_EINVALID, "%s: %s is not supported", s->f->path, s->refused);
    if (s->end_id < 0)
        return scry_fail(s->err, SCRY_EINVALID, "%s has no control piece \"%.40s\", which ends a text", s->f->path, s->end);
    return 0;
}

/* ---- in the form of a tokenizer.json ---- */

static int put_part(const spiece *s, scry_json **out, scry_buf *text)
{
    int r = text->failed ? scry_fail(s->err, SCRY_ELIMIT, "%s: its normaliser or control pieces are too large", s->f->path)
                         : scry_json_parse(out, scry_buf_str(text), text->size, s->f->path, s->err);
    scry_buf_dispose(text);
    return r;
}

static int put_parts(spiece *s)
{
    scry_tokfile *f = s->f;
    scry_buf normal = SCRY_BUF_INIT(PART_BYTES);
    scry_buf split = SCRY_BUF_INIT(1024), ends = SCRY_BUF_INIT(1024), model = SCRY_BUF_INIT(1024);
    scry_buf_puts(&normal, "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK "\"},\"content\":\" \"},");
    if (s->table.size)
        scry_buf_printf(&normal, "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"%s\"},", scry_buf_str(&s->table));
    scry_buf_puts(&normal, "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"},{\"type\":\"Strip\"}]}");
    scry_buf_puts(&split, "{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"always\"}");
    scry_buf_printf(&ends, "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{}},{\"SpecialToken\":{\"id\":\"end\"}}],"
                    "\"special_tokens\":{\"end\":{\"ids\":[%lld]}}}", (long long)s->end_id);
    scry_buf_printf(&model, "{\"type\":\"Unigram\",\"unk_id\":%lld,\"byte_fallback\":%s}", (long long)s->unknown_id,
                    s->byte_fallback ? "true" : "false");
    int r = put_part(s, &f->normalizer, &normal);
    r = r < 0 ? r : put_part(s, &f->pre_tokenizer, &split);
    r = r < 0 ? r : put_part(s, &f->post_processor, &ends);
    r = r < 0 ? r : put_part(s, &f->model, &model);
    r = r < 0 ? r : put_part(s, &f->added_tokens, &s->added);
    scry_buf_dispose(&normal);
    scry_buf_dispose(&split);
    scry_buf_dispose(&ends);
    scry_buf_dispose(&model);
    return r;
}

int scry_tokfile_open_spiece(scry_tokfile *f, scry_tokenizer *t, const char *dir, scry_error *err)
{
    const scry_json *settings = NULL;
    scry_map map = { NULL, 0 };
    memset(f, 0, sizeof *f);
    scry_pieces_init(&f->pieces);
    f->path = scry_path_join(dir, "spiece.model");
    f->spiece = f->scored = true;
    int r = scry_tokfile_map(&map, f->path, err);
    if (r == 0)
        r = scry_tok_settings(t, dir, &settings, err);
    const scry_json *end = scry_json_get(settings, "eos_token");
    spiece s = { .f = f, .err = err, .end = scry_json_str(end, scry_json_str(scry_json_get(end, "content"), "</s>")), .end_id = -1,
                 .unknown_id = -1, .table = SCRY_BUF_INIT(PART_BYTES), .added = SCRY_BUF_INIT(PART_BYTES) };
    s.w = (scry_json_writer)SCRY_JSON_WRITER_INIT(&s.added);
    scry_json_begin(&s.w, '[');
    if (r == 0 && scry_json_size(scry_json_get(settings, "sp_model_kwargs")) > 0)
        r = scry_fail(err, SCRY_EINVALID, "%s/tokenizer_config.json: sp_model_kwargs is {...}, which is not supported", dir);
    if (r == 0)
        r = read_model(&s, (message){ (const char *)map.data, (const char *)map.data + map.size, false });
    scry_json_end(&s.w, ']');
    if (r == 0)
        r = put_parts(&s);
    scry_buf_dispose(&s.table);
    scry_buf_dispose(&s.added);
    scry_map_close(&map);
    if (r < 0)
        scry_tokfile_close(f);
    return r;
}
