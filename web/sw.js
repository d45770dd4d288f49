// sw.js - a service worker: keeps the page's own files, so that the page opens and says so when the server does not answer.
//
// Only files of the program are kept, under their names alone: the page and assets/. Nothing of the collection is, no picture, no
// answer of the API, and not what was searched for. The network comes first; what is kept serves only when it fails.

const CACHE = 'scry-page', UNREACHABLE = [502, 503, 504];   // from a proxy

// The address under which a file of the page is kept; null: it is none.
function fileOf(request) {
  const url = new URL(request.url), path = url.href.startsWith(registration.scope) ? url.pathname.slice(new URL(registration.scope).pathname.length) : null;
  return request.method === 'GET' && (path === '' || path?.startsWith('assets/')) ? new URL(path, registration.scope).href : null;
}

async function keep(file, response) {
  await (await caches.open(CACHE)).put(file, response);
}

async function answer(event, file) {
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(file, response.clone()));
    if (!UNREACHABLE.includes(response.status)) return response;
    return await caches.match(file) ?? response;
  } catch (e) {
    return await caches.match(file) ?? Promise.reject(e);
  }
}

// What the API answers is not waited for here, where a browser can be told so.
addEventListener('install', event => {
  skipWaiting();
  const direct = event.addRoutes?.({ condition: { urlPattern: new URL('api/*', registration.scope).href }, source: 'network' });
  if (direct) event.waitUntil(direct.catch(() => {}));
});
addEventListener('fetch', event => {
  const file = fileOf(event.request);
  if (file) event.respondWith(answer(event, file));
});

// The page names the files that it loaded before this worker was there.
addEventListener('message', event => {
  const files = event.data.filter(address => fileOf(new Request(address)) === address);
  event.waitUntil(Promise.all(files.map(async address => {
    const response = await fetch(address);
    if (response.ok) await keep(address, response);
  })));
});
