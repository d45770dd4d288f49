// suite.mjs - all tests of the page, in one browser, with a small and a large collection.

import { suite } from './harness.mjs';
import { gallery } from './pictures.mjs';
import { searching } from './searching.mjs';
import { looking } from './looking.mjs';
import { library } from './library.mjs';
import { choosing } from './choosing.mjs';
import { comparing } from './comparing.mjs';
import { marking } from './marking.mjs';
import { mapping } from './mapping.mjs';
import { reading } from './reading.mjs';
import { around } from './around.mjs';
import { upgrade } from './upgrade.mjs';
import { large } from './large.mjs';

await suite(async () => {
  const collection = gallery();
  await searching(collection);
  await looking(collection);
  await library(collection);
  await choosing(collection);
  await comparing();
  await marking();
  await mapping();
  await reading();
  await around(collection);
  await upgrade();
  await large();
});
