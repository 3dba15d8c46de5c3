/** Sites whose addresses lead anywhere else: public URL shorteners. */
export const SHORTENERS: ReadonlySet<string> = new Set(
  `bit.ly bitly.com j.mp tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly shorturl.at rb.gy t.ly
  tiny.cc bl.ink shorte.st adf.ly s.id soo.gd tr.im u.to clck.ru vk.cc qr.ae trib.al dlvr.it ift.tt
   po.st su.pr x.co mcaf.ee snip.ly short.io shrtco.de urlz.fr t2m.io gg.gg n9.cl
  shorturl.asia tny.im kutt.it han.gl me2.do t1p.de kurzelinks.de 1url.com 2no.co zpr.io ouo.io surl.li
  tinyurl.is l.ead.me qrco.de ln.run urlr.me dub.sh shor.by hyperurl.co`.split(/\s+/),
);
