/** Providers where anybody gets an address in a minute. */
const DOMAINS = new Set(
  `gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com aol.com aim.com
  icloud.com me.com mac.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de freenet.de t-online.de mail.com email.com usa.com
  mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru yandex.com ya.ru rambler.ru ukr.net protonmail.com proton.me pm.me
  tutanota.com tuta.io tuta.com tutamail.com zoho.com zohomail.com zoho.eu qq.com foxmail.com 163.com 126.com yeah.net
  sina.com sina.cn sohu.com aliyun.com naver.com daum.net hanmail.net nate.com rediffmail.com libero.it virgilio.it alice.it
  tiscali.it orange.fr wanadoo.fr free.fr laposte.net sfr.fr wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz abv.bg
  mail.bg bol.com.br uol.com.br terra.com.br hushmail.com fastmail.com fastmail.fm mailfence.com inbox.lv lycos.com excite.com
  juno.com netzero.net bigpond.com btinternet.com comcast.net verizon.net att.net sbcglobal.net cox.net earthlink.net`.split(
    /\s+/,
  ),
);

/** Families with an ending for each country: "yahoo.co.jp", "hotmail.fr". */
const FAMILIES = /^(?:yahoo|hotmail|live|outlook|gmx|yandex)\.(?:com?\.)?[a-z]{2}$/;

/** True for the domain of such a provider, lower case. */
export function isFreemail(domain: string): boolean {
  return DOMAINS.has(domain) || FAMILIES.test(domain);
}
