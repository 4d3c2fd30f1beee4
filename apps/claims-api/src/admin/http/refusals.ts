/** What an operation may answer besides success, and what every one may answer (`always`). */
export const refusals = {
  404: 'There is no such thing.',
  409: 'It cannot be done in the present state, or with this store.',
  412: 'It was changed meanwhile; etag is the present one.',
  413: 'The body is too large.',
  415: 'The body is neither JSON nor YAML.',
  422: 'The mapping is refused, or the Idempotency-Key belongs to another request; errors names each path.',
  428: 'If-Match is missing.',
  503: 'The store of the mappings cannot be reached.',
} as const;

export type Refusal = keyof typeof refusals;

export const always = {
  400: 'The request is not as it must be; errors names each field.',
  401: 'The caller is not authenticated.',
  403: 'The caller lacks the role, or may not call.',
  429: 'Too many failed authentications, or too many requests of this kind under way.',
  500: 'A defect; the log has the correlation id.',
} as const;
