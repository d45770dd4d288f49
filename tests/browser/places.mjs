// places.mjs - pictures of the demo gallery with their positions, in XMP files beside them.

import { cpSync } from 'node:fs';
import { top, write } from './harness.mjs';

const PLACES = { 'eiffel-tower': [48.8583, 2.2945], colosseum: [41.8902, 12.4922], 'statue-of-liberty': [40.6892, -74.0445], 'taj-mahal': [27.1751, 78.0421],
  'machu-picchu': [-13.1631, -72.5450], 'opera-house': [-33.8568, 151.2153], 'great-wall': [40.4319, 116.5704], 'chichen-itza': [20.6843, -88.5678],
  'golden-temple': [31.6200, 74.8765], rio: [-22.9519, -43.2105], aqueduct: [43.9475, 4.5350], igloo: [64.1466, -51.7], 'windmills-by-a-canal': [51.8836, 4.6400] };

const degrees = (n, [plus, minus]) => `${Math.floor(Math.abs(n))},${((Math.abs(n) % 1) * 60).toFixed(6)}${n < 0 ? minus : plus}`;

// The pictures of folder demo/gallery/places of the tree in `folder`, and how many of them have a position.
export function placesGallery(folder) {
  cpSync(top + '/demo/gallery/places', folder, { recursive: true });
  return place(folder);
}

// Positions for the pictures that are in `folder` under the gallery's names.
export function place(folder) {
  for (const [name, [latitude, longitude]] of Object.entries(PLACES)) {
    write(`${folder}/${name}.jpg.xmp`, `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="${degrees(latitude, 'NS')}" exif:GPSLongitude="${degrees(longitude, 'EW')}"/>
</rdf:RDF></x:xmpmeta>`);
  }
  return Object.keys(PLACES).length;
}
