/** Messages that the tests of the mail pages put into mailboxes. */

const DAY = 86_400_000;

export interface Simple {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly id?: string;
  readonly inReplyTo?: string;
  readonly headers?: readonly string[];
}

let last = 0;

export function message({
  from = 'Ann Smith <ann@else.test>',
  to = 'bob@example.test',
  subject = 'Hello',
  text = 'Hello Bob,\n\nthis is a message.\n',
  html,
  id = `${++last}@else.test`,
  inReplyTo,
  headers = [],
}: Simple): string {
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${new Date(Date.now() - DAY).toUTCString()}`,
    `Message-ID: <${id}>`,
    ...(inReplyTo === undefined ? [] : [`In-Reply-To: <${inReplyTo}>`, `References: <${inReplyTo}>`]),
    'MIME-Version: 1.0',
    `Content-Type: text/${html === undefined ? 'plain' : 'html'}; charset=utf-8`,
    ...headers,
    '',
    html ?? text,
  ].join('\n');
}

/** A picture of one dot, and a text that shows it. */
export const WITH_PICTURE = `From: Ann Smith <ann@else.test>
To: bob@example.test
Subject: A picture within
Message-ID: <picture@else.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

<p>See: <img src="cid:dot@else.test" width="40" height="40" alt="a dot"></p>
--r
Content-Type: image/png
Content-ID: <dot@else.test>
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
--r--
--m
Content-Type: text/plain; name="notes.txt"
Content-Disposition: attachment; filename="notes.txt"

<script>alert(1)</script> as text
--m
Content-Type: message/rfc822
Content-Disposition: attachment; filename="inner.eml"

From: Carl <carl@else.test>
Subject: the inner one
Content-Type: text/plain

text of the inner message
--m
Content-Type: application/octet-stream; name="invoice\u202egpj.exe"
Content-Disposition: attachment
Content-Transfer-Encoding: base64

AAAA
--m--
`;
