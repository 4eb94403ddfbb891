import { firstLineOf } from './start-error.ts';

const UNTRUSTED = 'its certificate is signed by no authority that is trusted here';

/** What the codes of the system and of Node's TLS mean for somebody who connects to a server. */
const SENTENCES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was ended',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network of the host cannot be reached',
  ETIMEDOUT: 'there is no answer',
  ENOENT: 'there is no such socket',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another name than the host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
};

/** An alert by which a server ends the handshake, because of the certificate that it was shown, or was not. */
const REFUSED_OURS = /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/;

/** Why a connection failed, in words and with the code that there is; of another error its first line. */
export function connectionReason(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) return firstLineOf(error);
  const words =
    SENTENCES[code] ?? (REFUSED_OURS.test(code) ? 'it wants a certificate of ours that it trusts' : undefined);
  return words === undefined ? firstLineOf(error) : `${words} (${code})`;
}

/** The code of an error, or of the first one where a name stands for several addresses. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
