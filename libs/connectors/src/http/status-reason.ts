import type { UnavailableReason } from '#claims';

/**
 * What a status that is no answer says (RFC 9110 §15). 502 and 504 are a gateway's: the system behind it cannot be reached, or does not
 * answer in time, whoever asks. 500 may concern one question only, so it says nothing of the system: else whoever can ask the question
 * that the system fails on could shut it off for everybody.
 */
export function reasonOfStatus(status: number): UnavailableReason {
  switch (status) {
    case 401:
    case 403:
      return 'credentials';
    case 429:
    case 503:
      return 'overloaded';
    case 502:
      return 'connection';
    case 504:
      return 'timeout';
    default:
      return 'refused';
  }
}
