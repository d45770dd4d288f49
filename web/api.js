// api.js - requests to the server. A response that is not 2xx becomes an ApiError.

export class ApiError extends Error {
  constructor(status, detail, retryAfterSeconds = 0, code = '', cause = '') {
    super(detail);
    this.code = code;       // a name of the problem, of some (explain.js)
    this.cause = cause;     // why it cannot be decoded
    this.status = status;   // 0: no response
    this.retryAfterSeconds = retryAfterSeconds;
  }

  // The same request may succeed later.
  get passing() { return [0, 429, 502, 503, 504].includes(this.status); }
}

const early = new Map();   // path -> a promise of the answer

// Ask now for what the first `request` for this path takes. A failure is forgotten, unless it is waited for by then.
export function askEarly(path) {
  const answer = request(path);
  answer.catch(() => early.delete(path));
  early.set(path, answer);
}

// What was asked for early and not taken is not fresh any more.
export const forgetEarly = () => early.clear();

export async function request(path, options = {}) {
  let response, answer;
  if (!options.method && early.has(path)) {
    answer = early.get(path);
    early.delete(path);
    return answer;
  }
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options });
    if (response.ok) return response.status === 204 ? null : await response.json();
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError(0, 'no answer');
  }
  try { answer = await response.json(); } catch { /* not a problem document */ }
  throw new ApiError(response.status, answer?.detail ?? response.statusText, +response.headers.get('Retry-After') || 0, answer?.code, answer?.cause);
}

export const thumbnail = (id, size) => `api/v1/images/${id}/thumbnail?size=${size}`;
export const originalFile = id => `api/v1/images/${id}/file`;
export const uploadThumbnail = picture => `api/v1/query-pictures/${picture}/thumbnail`;

export const uploadPicture = file =>
  request('api/v1/query-pictures', { method: 'POST', body: file, headers: { 'Content-Type': 'application/octet-stream' } });
