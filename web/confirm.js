// confirm.js - asks before something is done that cannot be taken back.

import { $ } from './dom.js';
import { explain } from './explain.js';
import { text } from './strings.js';

const dialog = $('confirm');
let action = null, turn = 0;

// `run(progress, asked)` does it once the button is pressed: progress(done, total) shows how far it is, asked() is false when the
// dialog was closed meanwhile. What it throws is shown, and it can be pressed again.
export function ask({ title, help = '', yes }, run) {
  turn++;
  action = run;
  $('confirm-title').textContent = title;
  $('confirm-text').textContent = help;
  $('confirm-yes').textContent = yes;
  $('confirm-yes').disabled = false;
  $('confirm-progress').hidden = true;
  $('confirm-problem').textContent = '';
  $('confirm-no').onclick = () => dialog.close();
  $('confirm-yes').onclick = agreed;
  dialog.onclose = () => { turn++; };
  dialog.showModal();
  $('confirm-no').focus();
}

async function agreed() {
  const mine = turn, asked = () => mine === turn;
  const progress = (done, total) => Object.assign($('confirm-progress'), { hidden: false, max: total, value: done });
  $('confirm-yes').disabled = true;
  try {
    await action(progress, asked);
    if (asked()) dialog.close();
  } catch (e) {
    if (!asked()) return;
    $('confirm-problem').textContent = `${text('error')} ${explain(e)}`;
    $('confirm-yes').disabled = false;
  }
}
