/**
 * What kinds of fraud say. Each is several groups of phrases; a rule asks how many groups a text has something of, for no
 * single phrase says anything.
 */
import { phrases } from './phrases.ts';

export const ADVANCE_FEE = [
  phrases('million|us$|usd|united states dollars|billion|sum of'),
  phrases(
    `
    next of kin|late husband|late father|deceased|inheritance|beneficiary|dying|my late|widow|unclaimed`,
  ),
  phrases('transfer|remit|deposited|fund|consignment|security company|over-invoiced'),
  phrases('confidential|secrecy|utmost|discreet|trust you|risk free|risk-free|100% safe'),
  phrases(
    `
    nigeria|lagos|abuja|ghana|ivory coast|cote d|burkina|sierra leone|benin|zimbabwe|congo|barrister|
    central bank|foreign partner|foreigner|diplomat|minister of|general manager of|head of the`,
  ),
  phrases('percent|%|share|commission|compensat'),
  phrases(
    `
    your assistance|assist me|assist us|your bank account|your account|urgent reply|urgent response|
    contact me|your private|telephone and fax|business proposal|business relationship|mutual benefit`,
  ),
];

export const LOTTERY = [
  phrases('lottery|lotto|sweepstake|email draw|promo draw|prize draw|lotterie|loteria'),
  phrases('winner|you have won|you won|winning|has won|gewonnen|ganador'),
  phrases('claim|claims agent|ticket number|batch number|ref number|reference number|fiduciary'),
  phrases('million|usd|eur|pounds|prize of|sum of'),
];

export const EXTORTION = [
  phrases('bitcoin|btc|crypto|monero'),
  phrases(
    `
    webcam|your camera|recorded you|video of you|footage|masturbat|adult site|adult website|porn|
    intimate|kamera`,
  ),
  phrases(
    `
    your password|malware|trojan|hacked|infected|remote access|your device|keylogger|gehackt`,
  ),
  phrases(
    `
    48 hours|24 hours|50 hours|72 hours|two days|your contacts|your friends|your family|colleagues|
    publish|share the video|destroy|stunden`,
  ),
];

export const CREDENTIALS = [
  phrases('account|mailbox|apple id|profile|wallet|konto|compte|cuenta|online banking'),
  phrases(
    `
    suspend|locked|limited|restrict|deactivat|disabled|terminate|unusual|unauthorized|unauthorised|
    expire|gesperrt|eingeschränkt|bloqu`,
  ),
  phrases(
    `
    verify|confirm your|update your|validate|re-activate|reactivate|restore|keep your|bestätigen|
    verifizieren|confirmer|verificar|sign in to|log in to|login to`,
  ),
  phrases(
    `
    within 24|within 48|24 hours|48 hours|immediately|as soon as possible|permanently|failure to|
    umgehend|innerhalb|inmediatamente|immédiatement`,
  ),
];

export const MAILBOX_FULL = [
  phrases('mailbox|mail box|email account|e-mail account|webmail|postfach|mail storage'),
  phrases(
    `
    quota|is full|almost full|storage limit|exceeded|out of space|undelivered|pending messages|
    incoming messages|held messages|password expir|password will expire|speicher`,
  ),
  phrases(
    `
    upgrade|increase|release|keep current password|keep same password|keep my password|validate|
    re-validate|verify|free up|retrieve|click here|erweitern`,
  ),
  phrases(
    `
    administrator|it department|help desk|helpdesk|support team|deactivat|closed|shut down|
    all rights reserved`,
  ),
];

export const PARCEL = [
  phrases('parcel|package|shipment|paket|sendung|colis|paquete'),
  phrases(
    `
    customs|delivery fee|shipping fee|unpaid|could not be delivered|was not delivered|
    address is incomplete|incomplete address|zoll|nicht zugestellt|frais`,
  ),
  phrases(
    `
    reschedule|confirm your|pay now|update your address|confirm the payment|bestätigen|payer|pay the`,
  ),
];

export const CALLBACK = [
  phrases('invoice|order|receipt|transaction|billing|payment'),
  phrases('renew|charged|subscription|auto-debit|debited|auto debit|purchase'),
  phrases(
    `
    norton|mcafee|geek squad|paypal|antivirus|pc protection|best buy|bitcoin|coinbase|amazon|lifelock|
    apple`,
  ),
  phrases(
    `
    call us|call our|contact us at|toll free|toll-free|helpline|customer support|support team|phone|
    call immediately|give us a call|reach us`,
  ),
  phrases(
    `
    cancel|refund|dispute|did not authorize|didn't authorize|not authorized|within 24 hours|unauthorised`,
  ),
];

export const FAVOUR = [
  phrases(
    `
    are you available|are you at your desk|are you in the office|are you free|quick favor|quick favour|
    quick task|need a favor|need a favour|handle something|get something done|your cell number|
    your mobile number|your whatsapp|in a meeting|keep this between|surprise|reimburse|scratch|
    bist du am platz|sind sie am platz|kurz zeit`,
  ),
];

export const NEW_ACCOUNT = [
  phrases(
    `
    new bank|bank details|banking details|direct deposit|bank account|account details|
    neue bankverbindung|iban`,
  ),
  phrases(
    `
    changed|change my|update my|updated our|switched|no longer use|new account|under audit|geändert|
    change of`,
  ),
  phrases(
    `
    payroll|next pay|salary|outstanding invoice|outstanding payment|remittance|future payments|
    zukünftig|gehalt|wire transfer|ach payment|ach transfer`,
  ),
];

export const PROMISES = [
  phrases(
    `
    risk free|risk-free|no risk|no obligation|without obligation|free trial|absolutely free|100% free|
    totally free|kostenlos`,
  ),
  phrases('guarantee|satisfaction|money back|money-back|100%|garantiert'),
  phrases(
    `
    act now|limited time|order now|call now|don't delay|don't miss|hurry|today only|expires|
    while supplies|apply now|nur heute|only today`,
  ),
  phrases(
    `
    save up to|lowest price|best price|lowest rates|save thousands|cheap|discount|no cost|free gift|
    special offer`,
  ),
];

export const MEDICINE = [
  phrases(
    `
    viagra|cialis|levitra|xanax|valium|phentermine|tramadol|ozempic|hgh|human growth hormone|semaglutide`,
  ),
  phrases('pharmacy|prescription|doctor|pills|apotheke|rezept'),
  phrases(
    `
    weight loss|lose weight|fat burn|burn fat|erectile|penis|enlargement|erection|sexual|potenz|libido|
    cbd|keto|wrinkle|aging|anti-aging`,
  ),
  phrases(
    `
    order now|free shipping|discount|no prescription|discreet|overnight|bestellen|lowest price|
    risk free|money back|results`,
  ),
];

export const COINS = phrases('bitcoin|btc|ethereum|wallet|monero|usdt');

export const GIFT_CARDS = phrases('gift card|itunes card|steam card|geschenkkarte|gutscheinkarte');

export const DENIALS = phrases(
  `
    this is not spam|this is not a spam|s. 1618|s.1618|section 301, paragraph|title iii passed|
    not considered spam|cannot be considered spam|one time mailing|one-time mailing|
    this message is in full compliance|murkowski`,
);
