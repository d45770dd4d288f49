// remove.js - removes pictures from the index, after a question. Their files stay, but for those that were uploaded here.

import { request } from './api.js';
import { ask } from './confirm.js';
import { text } from './strings.js';

// `removed(ids)` is called with the pictures that are no longer in the index.
export function removePictures(pictures, removed) {
  const left = [...pictures];
  ask({ title: text('remove_title', { n: pictures.length }), help: text('remove_help'), yes: text('remove') }, async (progress, asked) => {
    const gone = [];
    try {
      while (left.length && asked()) {
        await request(`api/v1/images/${left[0].id}`, { method: 'DELETE' }).catch(e => { if (e.status !== 404) throw e; });
        gone.push(left.shift().id);
        progress(pictures.length - left.length, pictures.length);
      }
    } finally {
      if (gone.length) removed(gone);
    }
  });
}
