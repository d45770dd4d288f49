// remove.js - removes pictures from the index, after a question. Their files stay, but for those that were uploaded here.

import { request } from './api.js';
import { $ } from './dom.js';
import { number, text } from './strings.js';

const dialog = $('confirm');
let pictures = [], stopped = false, removed = () => {};

// `done(ids)` is called with the pictures that are no longer in the index.
export function setRemoving(done) {
  removed = done;
  $('confirm-no').onclick = () => dialog.close();
  $('confirm-yes').onclick = run;
  dialog.addEventListener('close', () => { stopped = true; });
}

export function removePictures(given) {
  pictures = given;
  stopped = false;
  $('confirm-title').textContent = text('remove_title', { n: pictures.length });
  $('confirm-text').textContent = text('remove_help');
  $('confirm-yes').textContent = text('remove');
  $('confirm-yes').disabled = false;
  $('confirm-progress').hidden = true;
  $('confirm-problem').textContent = '';
  dialog.showModal();
  $('confirm-no').focus();
}

async function run() {
  const gone = [];
  $('confirm-yes').disabled = true;
  Object.assign($('confirm-progress'), { hidden: false, max: pictures.length, value: 0 });
  try {
    for (const { id } of pictures) {
      if (stopped) break;
      await request(`api/v1/images/${id}`, { method: 'DELETE' }).catch(e => { if (e.status !== 404) throw e; });
      gone.push(id);
      $('confirm-progress').value = gone.length;
    }
    dialog.close();
  } catch (e) {
    $('confirm-problem').textContent = `${text('error')} ${e.message} (${number(gone.length)}/${number(pictures.length)})`;
    pictures = pictures.slice(gone.length);
    $('confirm-yes').disabled = false;
  }
  if (gone.length) removed(gone);
}
