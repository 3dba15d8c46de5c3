import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { guardedFetch, wholeBody } from '../../../net/guarded-fetch.ts';
import { imageType } from './image-type.ts';
import { operation } from './operation.ts';

/** Pictures that messages link to, fetched in the reader's stead: whoever sent them learns neither who nor where. */

const IMAGE_BYTES = 10 * 1024 * 1024;
const IMAGE_MS = 20_000;
const REDIRECTS = 3;

const show = operation({
  method: 'GET',
  path: '/image',
  summary: 'A picture that a message links to, by way of this server',
  access: 'mail',
  produces: 'image/*',
  input: z.strictObject({ url: z.string().min(1).max(8000) }),
  output: z.custom<{ readonly type: string; readonly octets: Buffer }>(),
  async run({ dns, clock, fetching, paces, count }, { url }, { accountId, revoked }) {
    const resolver = dns?.();
    if (resolver === undefined)
      throw new Refusal('unavailable', 'This server has no DNS: it cannot fetch pictures.');
    return paces.images.within(accountId, async () => {
      count('image');
      const response = await guardedFetch({
        url,
        resolver,
        clock,
        headers: { accept: 'image/avif,image/webp,image/png,image/jpeg,image/gif' },
        maxBytes: IMAGE_BYTES,
        timeoutMs: IMAGE_MS,
        redirects: REDIRECTS,
        allowHttp: true,
        signal: revoked,
        ...fetching,
      });
      if (response.status !== 200) {
        response.close();
        throw new Refusal('not-found', `There is no picture there any more (HTTP ${response.status}).`);
      }
      const octets = await wholeBody(response);
      const type = imageType(octets);
      // Whatever the other host calls it: what is no picture by its octets goes to no browser.
      if (type === undefined) throw new Refusal('bad-input', 'That is no picture of a kind that is shown.');
      return { type, octets };
    });
  },
});

export const images = { show };
