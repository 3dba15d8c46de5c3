import { topicRegion } from './sns-message.ts';

/**
 * Hosts of Amazon SNS that a message may send us to. Whoever can post to the endpoint chooses the URL, so nothing but
 * SNS itself, in the region of the topic, over TLS, on its own port, is ever asked.
 */
export function isSnsHost(hostname: string, region: string): boolean {
  return hostname === `sns.${region}.amazonaws.com` || hostname === `sns.${region}.amazonaws.com.cn`;
}

function snsUrl(text: string, topicArn: string): URL | undefined {
  const region = topicRegion(topicArn);
  const url = URL.parse(text);
  if (region === undefined || url === null || text.length > 4096) return undefined;
  const plain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '';
  return plain && isSnsHost(url.hostname, region) ? url : undefined;
}

/** Where the certificate of a signature is; undefined when the URL is none that SNS writes. */
export function certificateUrl(text: string, topicArn: string): URL | undefined {
  const url = snsUrl(text, topicArn);
  const isCertificate = url !== undefined && /^\/[A-Za-z0-9_-]{1,200}\.pem$/.test(url.pathname);
  return isCertificate && url.search === '' && url.hash === '' ? url : undefined;
}

/** Where a subscription to that topic is confirmed; undefined when the URL is for anything else. */
export function confirmationUrl(text: string, topicArn: string): URL | undefined {
  const url = snsUrl(text, topicArn);
  if (url === undefined || url.pathname !== '/') return undefined;
  const { searchParams: query } = url;
  const confirms = query.get('Action') === 'ConfirmSubscription' && query.get('TopicArn') === topicArn;
  return confirms && (query.get('Token') ?? '') !== '' ? url : undefined;
}
