/** Names and values of claims together may have 3 KB (Microsoft: error 1003025); read as 3,000 UTF-8 bytes. */
export const maximumClaimBytes = 3_000;
