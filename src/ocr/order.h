/* order.h - which way a page is read, and its lines in that order.
 *
 * Lines are boxes with a direction: by how many quarter turns, clockwise in the picture, their text is turned. A page's own is
 * that of most of its text. Of a page that is turned, or crooked by a degree or more, lines are sorted as they would be if it
 * were straight; of others they stay as boxes.h has sorted them.
 */
#ifndef SCRY_OCR_ORDER_H
#define SCRY_OCR_ORDER_H

#include "ocr/boxes.h"

typedef struct scry_ocr_placed {
    scry_ocr_box box;      /* corners clockwise from where reading begins */
    int direction;         /* 0..3: of the box as it was found, how many corners on that is */
    double weight;         /* how much it says of the page: characters of which the reader is sure; 0: none */
} scry_ocr_placed;

/* The direction of most of the text, by weight; -1 where no line has any, or where less than two thirds have one. */
int scry_ocr_page_direction(const scry_ocr_placed *lines, size_t n);

/* The lines' numbers in the order of reading to `order` [n]. */
void scry_ocr_reading_order(const scry_ocr_placed *lines, size_t n, size_t *order);

#endif
