import { Refusal, smtpReply, type SmtpReply } from '../../base/errors.ts';
import { encodeUtf8AddressXtext, encodeXtext } from '../../mail/xtext.ts';
import type { Capabilities } from './capabilities.ts';
import type { OutgoingMessage, OutgoingRecipient } from './transaction.ts';

/** Octets of an address; RFC 5321 section 4.5.3.1.3 says 256, SMTPUTF8 makes them longer. */
const MAX_ADDRESS_BYTES = 1024;

/** An address must not bring commands of its own. Its syntax is the caller's. */
function checkAddress(address: string): string {
  if (/\p{Cc}/u.test(address) || Buffer.byteLength(address) > MAX_ADDRESS_BYTES) {
    throw new Refusal('bad-input', `an address cannot be sent: ${JSON.stringify(address.slice(0, 80))}`);
  }
  return address;
}

/** MAIL with the parameters that the server knows; `missingCapability` has seen to those it must. */
export function mailCommand(message: OutgoingMessage, capabilities: Capabilities): string {
  const { params } = message;
  const parts = [`MAIL FROM:<${checkAddress(message.reversePath)}>`];
  if (params.size !== undefined && capabilities.has('SIZE')) parts.push(`SIZE=${params.size}`);
  if (params.body === 'BINARYMIME') parts.push('BODY=BINARYMIME');
  if (params.body === '8BITMIME' && capabilities.has('8BITMIME')) parts.push('BODY=8BITMIME');
  if (params.smtputf8 === true) parts.push('SMTPUTF8');
  if (params.requiretls === true) parts.push('REQUIRETLS');
  if (capabilities.has('DSN')) {
    if (params.ret !== undefined) parts.push(`RET=${params.ret}`);
    if (params.envid !== undefined) parts.push(`ENVID=${encodeXtext(params.envid)}`);
  }
  return parts.join(' ');
}

/** RCPT with its DSN parameters (RFC 3461 section 4). */
export function rcptCommand(recipient: OutgoingRecipient, capabilities: Capabilities): string {
  const parts = [`RCPT TO:<${checkAddress(recipient.address)}>`];
  if (!capabilities.has('DSN')) return parts.join(' ');
  if (recipient.notify !== undefined && recipient.notify.length > 0)
    parts.push(`NOTIFY=${recipient.notify.join(',')}`);
  if (recipient.orcpt !== undefined) {
    const { type, address } = recipient.orcpt;
    const encoded = type.toLowerCase() === 'utf-8' ? encodeUtf8AddressXtext(address) : encodeXtext(address);
    parts.push(`ORCPT=${type};${encoded}`);
  }
  return parts.join(' ');
}

/** The refusal we give in the server's stead when it lacks what the message needs. */
export function missingCapability(
  message: OutgoingMessage,
  capabilities: Capabilities,
  overTls: boolean,
): SmtpReply | undefined {
  const { params } = message;
  if (params.body === 'BINARYMIME' && !(capabilities.has('BINARYMIME') && capabilities.has('CHUNKING'))) {
    return smtpReply(554, '5.6.3', 'The next host does not take binary messages');
  }
  if (params.body === '8BITMIME' && !capabilities.has('8BITMIME')) {
    return smtpReply(554, '5.6.3', 'The next host does not take 8-bit messages');
  }
  if (params.smtputf8 === true && !capabilities.has('SMTPUTF8')) {
    return smtpReply(553, '5.6.7', 'The next host does not take internationalized addresses'); // RFC 6531 3.5
  }
  if (params.requiretls === true && !(overTls && capabilities.has('REQUIRETLS'))) {
    return smtpReply(550, '5.7.30', 'The next host does not support REQUIRETLS'); // RFC 8689 4.3
  }
  if (params.size !== undefined && capabilities.maxSize !== undefined && params.size > capabilities.maxSize) {
    return smtpReply(552, '5.3.4', `The next host takes messages up to ${capabilities.maxSize} octets`);
  }
  return undefined;
}
