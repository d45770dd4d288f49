// suite.mjs - everything that the page does, in one browser, over one small and one large collection.

import { suite } from './harness.mjs';
import { gallery } from './pictures.mjs';
import { searching } from './searching.mjs';
import { looking } from './looking.mjs';
import { around } from './around.mjs';
import { large } from './large.mjs';

await suite(async () => {
  const collection = gallery();
  await searching(collection);
  await looking(collection);
  await around(collection);
  await large();
});
