/* skip_code.h - a name for why a file was skipped.
 *
 * A reason is a sentence that a decoder or a walk wrote, and that a store keeps: stores of any age have them. Programs
 * that say it in another language, as the page does, need a name that stays.
 */
#ifndef SCRY_SKIP_CODE_H
#define SCRY_SKIP_CODE_H

/* "truncated", "too_large", ... (web/strings/en.json has all, as skip_NAME); NULL for a reason of none of these kinds. Any thread. */
const char *scry_skip_code(const char *reason);

#endif
