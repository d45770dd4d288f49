// clipboard.js - copies text. `near`: an element that is not inert, where a field may be put for a moment.

import { element } from './dom.js';

export async function copyText(value, near) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {   // no clipboard API without HTTPS: use execCommand
    const field = element('textarea', { value }), focused = document.activeElement;
    near.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    focused.focus();
  }
}
