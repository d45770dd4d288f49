#include "decoder/jpeg_damage.h"

enum { PREFETCH_BYTES = 8 };   /* that libjpeg's bit buffer may be ahead of the row */

void scry_jpeg_damage_init(scry_jpeg_damage *d, const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    *d = (scry_jpeg_damage){ .bytes = bytes, .end = bytes + size };
}

size_t scry_jpeg_damage_left(const scry_jpeg_damage *d, const struct jpeg_decompress_struct *c)
{
    return c->src->next_input_byte < d->end ? (size_t)(d->end - c->src->next_input_byte) : 0;
}

static int block_rows(const struct jpeg_decompress_struct *c)
{
    return c->max_v_samp_factor * DCTSIZE;
}

/* Whole rows of blocks, and the part of the current one that its bytes are of an average one. */
static void cut_within_row(scry_jpeg_damage *d, const struct jpeg_decompress_struct *c)
{
    double average = d->row > 0 ? (double)(d->start - d->first) / d->row : 0;
    double part = average > 0 ? (double)(d->end - d->start) / average : 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    d->cut = true;
    d->rows = (d->row + part) * block_rows(c);
}

void scry_jpeg_damage_follow(scry_jpeg_damage *d, const struct jpeg_decompress_struct *c)
{
    const uint8_t *at = c->src->next_input_byte;
    if (d->cut || c->input_iMCU_row == d->row)
        return;
    if (at > d->end + PREFETCH_BYTES) {   /* the row was made of zeros */
        cut_within_row(d, c);
        return;
    }
    d->row = c->input_iMCU_row;
    d->start = at;
}

/* Whether a complete scan of the kinds that a picture cannot do without is there for every component. */
static bool all_begun(const struct jpeg_decompress_struct *c)
{
    for (int i = 0; i < c->num_components; i++)
        for (int k = 0; k < (i == 0 ? DCTSIZE2 : 1); k++)
            if (c->coef_bits[i][k] < 0)
                return false;
    return true;
}

void scry_jpeg_damage_cut(scry_jpeg_damage *d, const struct jpeg_decompress_struct *c)
{
    if (d->cut)
        return;
    if (c->progressive_mode || c->comps_in_scan < c->num_components) {
        bool refines = c->progressive_mode && (c->Ah > 0 || c->cur_comp_info[0]->component_index > 0);
        d->cut = true;
        d->rows = refines ? c->image_height : (double)c->input_iMCU_row * block_rows(c);
        return;
    }
    const uint8_t *at = c->src->next_input_byte;
    if (at > d->bytes && at < d->end)   /* an end marker within the file */
        d->end = at;
    cut_within_row(d, c);
}

int scry_jpeg_damage_percent(const scry_jpeg_damage *d, const struct jpeg_decompress_struct *c)
{
    double rows = d->cut && d->rows < c->image_height ? d->rows : c->image_height;
    if (c->progressive_mode && c->coef_bits && !all_begun(c))
        rows = 0;
    if (!c->progressive_mode && c->input_scan_number < c->num_components && c->comps_in_scan == 1)
        rows = c->num_components > 1 ? 0 : rows;
    return (int)(100.0 * rows / c->image_height);
}
