import { limits } from '../../base/limits.ts';

/** Octets of one decoded SASL message: what fits a line of AUTH in base64. */
export const SASL_MESSAGE_OCTETS: number = Math.floor((limits.authLineBytes * 3) / 4);

/**
 * Decode the base64 of a SASL message strictly (RFC 4648 section 4: padded, no white space, no stray bits).
 * "=" alone means an empty message (RFC 4954 section 4), and so does an empty line. Undefined for anything else that
 * is not base64 or decodes to more than `maxOctets`.
 */
export function decodeSaslBase64(text: string, maxOctets: number = SASL_MESSAGE_OCTETS): Buffer | undefined {
  if (text === '' || text === '=') return Buffer.alloc(0);
  if (text.length > Math.ceil(maxOctets / 3) * 4 || text.length % 4 !== 0) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length <= maxOctets && bytes.toString('base64') === text ? bytes : undefined;
}
