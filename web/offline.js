// offline.js - registers sw.js where browsers allow it: over https, and on the machine itself.

export async function prepareOffline() {
  if (!navigator.serviceWorker || !isSecureContext) return;
  try {
    await navigator.serviceWorker.register('sw.js');
    const { active } = await navigator.serviceWorker.ready, own = new URL('assets/', location.href).href;
    const loaded = performance.getEntriesByType('resource').map(entry => entry.name).filter(name => name.startsWith(own));
    active.postMessage([new URL('./', location.href).href, ...loaded]);
  } catch {
    // a browser that forbids it, such as in a private window
  }
}
