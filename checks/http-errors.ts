import { excerpt, type Failure } from './probe-result.ts';
import { errorCode, explainSystemError, lookFailed } from './system-errors.ts';

const REPLACE_OR_SKIP = 'or set verifyTls to false for this check';

/** OpenSSL's and Node's names (nodejs.org/api/tls.html, "X509 certificate error codes"), with what to do. */
const CERTIFICATE: Record<string, [reason: string, advice: string]> = {
  CERT_HAS_EXPIRED: ['tls-expired', `Renew the certificate, ${REPLACE_OR_SKIP}.`],
  CERT_NOT_YET_VALID: ['tls-not-yet-valid', `Correct the clock of the VM or of this worker, ${REPLACE_OR_SKIP}.`],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls-self-signed', selfSigned()],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls-self-signed', selfSigned()],
  UNABLE_TO_GET_ISSUER_CERT: ['tls-untrusted', selfSigned()],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls-untrusted', selfSigned()],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls-untrusted', `Have the server send its whole chain, ${REPLACE_OR_SKIP}.`],
  CERT_REVOKED: ['tls-revoked', `Replace the certificate, ${REPLACE_OR_SKIP}.`],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls-name-mismatch', `Use a name that is in the certificate, ${REPLACE_OR_SKIP}.`],
};

/** Newer Nodes add how to start Node differently, which is no advice about a VM. */
const NODE_ADVICE = /; if the root CA is installed locally, .*$/;

/** An error of a http probe as the system says it, with what to do. */
export function explainHttpError(error: unknown, https: boolean): Failure {
  const code = errorCode(error);
  const said = error instanceof Error ? excerpt(error.message.replace(/\s+/g, ' ').trim(), 300) : String(error);
  const unhealthy = (reason: string, message: string): Failure => ({ status: 'unhealthy', reason, message });
  const certificate = CERTIFICATE[code];
  if (certificate) {
    const short = said.replace(NODE_ADVICE, '');
    return unhealthy(certificate[0], `TLS certificate refused: ${short}. ${certificate[1]}`);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    const plain = /wrong version number|packet length too long|WRONG_VERSION/i.test(said);
    if (plain)
      return unhealthy(
        'tls-not-spoken',
        'The server does not speak TLS on this port: use http://, or correct the port.',
      );
    return unhealthy(
      'tls-failed',
      `TLS handshake failed: ${said}. Look at the server's TLS versions, ciphers and client certificates.`,
    );
  }
  // undici 7.30 gives these no code
  if (error instanceof Error && error.name === 'HTTPParserError') {
    const hint = https ? 'correct the port' : 'correct the port, or use https://';
    return unhealthy('not-http', `The answer is not HTTP (${said}): ${hint}.`);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return unhealthy('not-http', 'The headers of the answer are longer than 16 KB.');
  if (code === 'UND_ERR_SOCKET' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return unhealthy(
      'connection-closed',
      'The server closed the connection before its answer was complete: look at its log.',
    );
  }
  return explainSystemError(error) ?? lookFailed(error);
}

function selfSigned(): string {
  return `Have it signed by an authority that this worker trusts (NODE_EXTRA_CA_CERTS names more of them), ${REPLACE_OR_SKIP}.`;
}
