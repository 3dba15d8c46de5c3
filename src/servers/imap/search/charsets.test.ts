import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imapTestServer } from '../../../../test/support/imap-server.ts';

/** Character sets of mail, a text, and its octets in them. */
const TEXTS: readonly (readonly [charset: string, text: string, octets: string])[] = [
  ['iso-8859-1', 'Grüße', '4772fcdf65'],
  ['iso-8859-2', 'Žluťoučký', 'ae6c75bb6f75e86bfd'],
  ['iso-8859-5', 'Привет', 'bfe0d8d2d5e2'],
  ['iso-8859-6', 'مرحبا', 'e5d1cdc8c7'],
  ['iso-8859-7', 'Καλημέρα', 'cae1ebe7ecddf1e1'],
  ['iso-8859-8', 'שלום', 'f9ece5ed'],
  ['iso-8859-9', 'İstanbul', 'dd7374616e62756c'],
  ['iso-8859-15', 'œuvre', 'bd75767265'],
  ['windows-1250', 'Žluťoučký', '8e6c759d6f75e86bfd'],
  ['windows-1251', 'Привет', 'cff0e8e2e5f2'],
  ['windows-1252', 'Grüße', '4772fcdf65'],
  ['windows-1253', 'Καλημέρα', 'cae1ebe7ecddf1e1'],
  ['windows-1254', 'İstanbul', 'dd7374616e62756c'],
  ['windows-1255', 'שלום', 'f9ece5ed'],
  ['windows-1256', 'مرحبا', 'e3d1cdc8c7'],
  ['windows-1257', 'ačiū', '61e869fb'],
  ['windows-1258', 'Xin chào', '58696e206368e06f'],
  ['koi8-r', 'Привет', 'f0d2c9d7c5d4'],
  ['koi8-u', 'Привіт', 'f0d2c9d7a6d4'],
  ['gb18030', '邮件服务', 'd3cabcfeb7fecef1'],
  ['gbk', '邮件服务', 'd3cabcfeb7fecef1'],
  ['gb2312', '邮件服务', 'd3cabcfeb7fecef1'],
  ['big5', '郵件服務', 'b66ca5f3aa41b0c8'],
  ['euc-jp', '日本語の件名', 'c6fccbdcb8eca4ceb7efccbe'],
  ['iso-2022-jp', '日本語の件名', '1b2442467c4b5c386c244e376f4c3e1b2842'],
  ['shift_jis', '日本語の件名', '93fa967b8cea82cc8c8f96bc'],
  ['euc-kr', '안녕하세요', 'bec8b3e7c7cfbcbcbfe4'],
  ['iso-8859-4', 'ačiū', '61e869fe'],
  ['utf-8', '日本語の件名', 'e697a5e69cace8aa9ee381aee4bbb6e5908d'],
  ['utf-16', '日本語の件名', 'fffee5652c679e8a6e30f64e0d54'],
  ['utf-16', '日本語の件名', 'feff65e5672c8a9e306e4ef6540d'],
  ['utf-16le', '日本語の件名', 'e5652c679e8a6e30f64e0d54'],
  ['utf-16be', '日本語の件名', '65e5672c8a9e306e4ef6540d'],
  ['utf-7', '日本語の件名', '2b5a65566e4c4971654d47354f396c514e2d'],
  ['macintosh', 'Grüße', '47729fa765'],
  ['iso-8859-10', 'ačiū', '61e869be'],
  ['iso-8859-13', 'ačiū', '61e869fb'],
  ['iso-8859-14', 'ŵyneb', 'f0796e6562'],
  ['iso-8859-16', 'țară', 'fe6172e3'],
  ['iso-8859-3', 'ĝis', 'f86973'],
  ['tis-620', 'สวัสดี', 'cac7d1cab4d5'],
  ['windows-874', 'สวัสดี', 'cac7d1cab4d5'],
  ['ibm866', 'Привет', '8fe0a8a2a5e2'],
];

/** In capitals, where a letter has one. */
function inCapitals(text: string): string {
  return text.replace(/\p{Ll}/gu, (letter) => (letter === 'ß' ? letter : letter.toUpperCase()));
}

function quotedPrintable(octets: Buffer): string {
  return [...octets].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function entities(text: string): string {
  return [...text]
    .map((character, at) =>
      at % 2 === 0 ? `&#${character.codePointAt(0)};` : `&#x${character.codePointAt(0)?.toString(16)};`,
    )
    .join('');
}

/** The five ways in which a text comes in a message: two in headers, three in bodies. */
function messages(charset: string, text: string, octets: Buffer): readonly string[] {
  const word = (encoding: string, encoded: string): string =>
    `Subject: =?${charset}?${encoding}?${encoded}?=\r\n\r\nx\r\n`;
  const body = (type: string, encoding: string, encoded: string): string =>
    `Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: ${type}; charset="${charset}"\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${encoded}\r\n`;
  return [
    word('B', octets.toString('base64')),
    word('q', quotedPrintable(octets)),
    body('text/plain', 'base64', octets.toString('base64')),
    body('text/plain', 'Quoted-Printable', quotedPrintable(octets)),
    body('text/html', '7bit', `<p>a<b>b</b> ${entities(text)}<!-- no --></p>`),
  ];
}

test('a text is found in every character set that mail comes in, named in UTF-8 or in its own', async () => {
  const server = await imapTestServer();
  try {
    const client = await server.ready();
    for (const [index, [charset, text, hex]] of TEXTS.entries()) {
      const octets = Buffer.from(hex, 'hex');
      const mailbox = `box${index}`;
      await client.ok(`CREATE ${mailbox}`);
      const wide = charset.startsWith('utf-16');
      for (const [at, message] of messages(charset, text, octets).entries()) {
        // Octets that are no ASCII cannot be written as they are: there HTML is base64.
        const html = wide && at === 4;
        await client.append(
          mailbox,
          html ? message.replace('7bit\r\n\r\n', '8bit\r\n\r\n').replace(charset, 'us-ascii') : message,
        );
      }
      await client.ok(`SELECT ${mailbox}`);
      const search = async (named: string, key: string, wanted: Buffer): Promise<string> => {
        const [found] = await client.ok(`SEARCH CHARSET ${named} ${key} `, wanted);
        return `${key} in ${named}: ${found}`;
      };
      for (const [named, wanted] of [
        ['UTF-8', Buffer.from(text)],
        ['utf-8', Buffer.from(inCapitals(text))],
        [charset, octets],
      ] as const) {
        assert.equal(
          `${charset}: ${await search(named, 'SUBJECT', wanted)}`,
          `${charset}: SUBJECT in ${named}: SEARCH 1 2`,
        );
        assert.equal(
          `${charset}: ${await search(named, 'BODY', wanted)}`,
          `${charset}: BODY in ${named}: SEARCH 3 4 5`,
        );
        assert.equal(
          `${charset}: ${await search(named, 'TEXT', wanted)}`,
          `${charset}: TEXT in ${named}: SEARCH 1 2 3 4 5`,
        );
      }
    }
    assert.match(
      (await client.command('SEARCH CHARSET x-none TEXT x')).tagged,
      /^NO \[BADCHARSET \(US-ASCII UTF-8\)\]/,
    );
  } finally {
    await server.close();
  }
});
