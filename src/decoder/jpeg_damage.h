/* jpeg_damage.h - how many rows of a JPEG are there whose data end too early.
 *
 * Pillow with LOAD_TRUNCATED_IMAGES puts an end marker behind such data, and libjpeg leaves what is missing grey. scry
 * does the same when at least 90 % of the rows are there. Zeros at the end are not rows: a file whose copying stopped often
 * has its full size.
 *
 * Rows that are there:
 *   one scan             those that were decoded before the data ended, the last row of blocks in part, by its bytes
 *   several, progressive all when every coefficient of the first component and the mean colour of the others were
 *                        begun; the rows before the end when the scan that ends is one of these for the first
 *                        component; else none
 *   several, sequential  those before the end in the scan that ends, when every component has one
 */
#ifndef SCRY_DECODER_JPEG_DAMAGE_H
#define SCRY_DECODER_JPEG_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct scry_jpeg_damage {
    const uint8_t *bytes, *end;     /* the file; behind its last byte that is not zero */
    const uint8_t *first, *start;   /* where the first row of blocks begins, and the current one */
    unsigned row;                   /* of blocks */
    bool cut;
    double rows;                    /* that are there, of full size, once the data are `cut` */
} scry_jpeg_damage;

void scry_jpeg_damage_init(scry_jpeg_damage *d, const uint8_t *bytes, size_t size);

/* Bytes of data behind where libjpeg is, without the zeros at the end. */
size_t scry_jpeg_damage_left(const scry_jpeg_damage *d, const struct jpeg_decompress_struct *c);

/* After every row of pixels that was read. */
void scry_jpeg_damage_follow(scry_jpeg_damage *d, const struct jpeg_decompress_struct *c);

/* libjpeg found no more data. */
void scry_jpeg_damage_cut(scry_jpeg_damage *d, const struct jpeg_decompress_struct *c);

/* After all rows: the percentage of rows that are there. */
int scry_jpeg_damage_percent(const scry_jpeg_damage *d, const struct jpeg_decompress_struct *c);

#endif
