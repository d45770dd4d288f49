// pictures.mjs - the collections that the tests search.

import { deflateSync } from 'node:zlib';
import { cpSync, mkdirSync } from 'node:fs';
import { scry, temporary, top, write } from './harness.mjs';

// The demo gallery, a few pictures with EXIF data and odd formats, one file twice, two labels,
// and one file that is not a picture.
export function gallery() {
  const root = temporary + '/Pictures', store = temporary + '/store';
  mkdirSync(root, { recursive: true });
  cpSync(top + '/demo/gallery', root + '/gallery', { recursive: true, filter: path => !/\.(tsv|md)$/.test(path) });
  for (const name of ['exif.jpg', 'exif-big.jpg', 'exif-maker.jpg', 'lzw.tif', 'deflate.tif', 'rgb.png', 'picture.heic', 'photo.jpg'])
    cpSync(`${top}/tests/pictures/${name}`, `${root}/trip/${name}`);
  cpSync(root + '/gallery/animals/cat.jpg', root + '/copies/the-cat-again.jpg');
  write(temporary + '/labels.csv', 'id,path,label\n1,Pictures/gallery/places/taj-mahal.jpg,building\n2,Pictures/gallery/places/igloo.jpg,building\n');
  scry(['index', root, temporary + '/labels.csv', '--store', store]);
  return { root, store };
}

const table = Array.from({ length: 256 }, (_, n) => Array.from({ length: 8 }).reduce(c => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n) >>> 0);
const crc32 = bytes => (bytes.reduce((c, b) => table[(c ^ b) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;   // in zlib from Node 20 on

function png(width, height, at) {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set(at(x / (width - 1), y / (height - 1)), y * (1 + 3 * width) + 1 + 3 * x);
  const chunk = (kind, content) => {
    const body = Buffer.concat([Buffer.from(kind), content]), out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(content.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 4 + body.length);
    return out;
  };
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))]);
}

// `count` small pictures of different colours and shapes; the same every time.
export function manyPictures(folder, count) {
  let seed = 1;
  const random = n => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n; };
  for (let i = 0; i < count; i++) {
    const a = [random(256), random(256), random(256)], b = [random(256), random(256), random(256)], turned = random(2);
    const colour = (u, v) => a.map((c, k) => Math.round(c + (b[k] - c) * (turned ? u : (u + v) / 2)));
    write(`${folder}/p${String(i).padStart(5, '0')}.png`, png(8 + random(9), 8 + random(9), colour));
  }
}
