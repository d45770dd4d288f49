// api.js - requests to our own server. An answer that is not 2xx becomes an ApiError.

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError(0, 'no answer');
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  let detail = response.statusText;
  try { detail = (await response.json()).detail; } catch { /* not a problem document */ }
  throw new ApiError(response.status, detail);
}

export const thumbnail = (id, size) => `/api/v1/images/${id}/thumbnail?size=${size}`;
export const uploadThumbnail = picture => `/api/v1/query-pictures/${picture}/thumbnail`;

export const uploadPicture = file =>
  request('/api/v1/query-pictures', { method: 'POST', body: file, headers: { 'Content-Type': 'application/octet-stream' } });
