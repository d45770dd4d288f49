/* file_name.h - the date in a file's name. */
#ifndef SCRY_METADATA_FILE_NAME_H
#define SCRY_METADATA_FILE_NAME_H

#include "metadata/date_text.h"

/* The first date in a name as phones and programs write it, a time after it where there is one:
 * "IMG_20150704_123015.jpg", "2015-07-04 12.30.15.jpg", "Screenshot_2021-06-15-14-30-00-123_app.png",
 * "IMG-20150704-WA0001.jpg" (WhatsApp: no time), "signal-2021-06-15-143000.jpg", "Screenshot 2021-06-15 at 2.30.00 PM.png" and
 * the same in other languages, "photo_1@15-06-2021_14-30-00.jpg" (Telegram).
 * "PXL_20210615_143000123.jpg" is in UTC, so it has an offset of 0. Years 1990 to 2099. Other dates that do not begin
 * with the year are not read, since day and month cannot be told apart. Digits within a hash, a telephone number or
 * a number that is longer than a date and a time are none. */
bool scry_date_of_name(scry_date *out, const char *name);

#endif
