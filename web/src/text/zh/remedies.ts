import type { Texts } from '../areas.ts';
import type en from '../en/remedies.ts';

export default {
  seeScript: '查看脚本：postern sieve show {account}',
  seeSuppression: '若已停止向其发送，查看原因：postern suppression show {address}',
  suppressed: '已停止向其发送：postern suppression show {address}',
  waitsUntilReleased: '等待放行：postern queue release {id}',
  heldAccount:
    '如果是本人：postern hold release {account}。如果不是：postern account passwd {account}，然后 postern hold release {account} --drop',
  releaseHeld: '该账户待处理的邮件及办法：postern hold list。仅此邮件：postern queue release {id}',
  releaseLater: '可以再次发送时：postern queue release {id}',
  banLift: '立即解除：postern ban lift {subject}',
  intakeRetry: '立即重试：postern intake retry {key}',
  intakeRetryMended: '修复后：postern intake retry {key}',
  intakeStatus: '查看问题：postern intake status',
  intakeProblems: '查看：postern intake problems',
  certificateRenew: '解决原因后：postern certificate renew {name}',
  certificateList: '“postern certificate list”会说明为何没有新证书',
  certificateFile: '把新证书放入 {file}；一分钟内会被读取',
  diskRoom: '腾出空间，或更换更大的磁盘（docs/guides/housekeeping.md）',
  notJunk: '如果是正常邮件，请移出垃圾邮件：过滤器会从中学习。',
  notJunkAllow:
    '如果是正常邮件，请移出垃圾邮件：过滤器会从中学习。要始终接收来自那里的邮件：\npostern filter allow {address}',
  notKept: '未予保留。',
  kept: '会保留几天。查看并仍要投递：\npostern vault show {case}\npostern vault release {case}',
  forgery:
    '多半是伪造，无需处理。如果发件人是真的，其管理员须修复 SPF 或 DKIM；在此之前可将 {domain} 加入 dmarc.ignore 名单（若是转发者或邮件列表，则把其域名加入 dmarc.forwarders），或接收来自该主机的所有邮件：\npostern filter allow {ip}',
  thatDomain: '该域名',
  siteList:
    '这是管理员的设置。查看时间和原因，并恢复接收：\npostern filter senders\npostern filter unlist {pattern}',
  attachments: '这是本站的规定；发件人可用其他方式发送文件。不接收的类型：\npostern filter show attachments',
  virus: '如果认识发件人，请告知对方：其电脑可能中毒。只有确定扫描有误时才投递。',
  goodMail: '如果是正常邮件，请投递：过滤器会从中学习。',
  goodMailAllow:
    '要始终接收该主机的邮件，或把本应拒收的放入垃圾邮件：\npostern filter allow {ip}\npostern filter set refuse never',
  milters: '由本服务器旁的过滤器决定：\npostern filter show milters',
  filterDown:
    '该过滤器没有响应：请启动它。发送方会自行重试。若要暂时不用它接收邮件，请将其 failure 设为 ignore：\npostern filter show',
  dnsSilent:
    '发送方会自行重试。若持续如此，需要修复 {domain} 或我们的域名服务器。要接收此类未经证实的邮件，请将该域名加入 dmarc.ignore。',
  allowClient: '要仍然接收来自那里的邮件：\npostern filter allow {ip}',
  scoreOnly: '只计分而不拒绝任何人：\npostern filter set {setting} score',
  listed:
    '您的某个 DNS 名单列有该发送方，且设为拒绝。对方服务器的管理者须申请移除。若要名单只计分，请将其“refuse”设为 false（postern filter show lists）。',
  needsName: '发送方的服务商须为该地址设置可反查的名称（PTR）。',
  needsHelo: '发送方的服务器须在 HELO 中报出完整名称。',
  needsAddress: '发件人须使用可以回复的地址。',
  tooManyMessages:
    '该网段发送量超过 messages_per_hour；会自行重试。要放宽（0 表示不限）：\npostern filter set messages_per_hour NUMBER',
  greylisted:
    '一切正常：发送方服务器会自行重试，届时即接收。若不再来，说明不是邮件服务器。要不让任何人等待：\npostern filter set greylist.mode off',
  guessing:
    '有人在试探地址，或名单很旧。如果是认识的发送方，可放宽（0 表示不限）：\npostern filter set tarpit_after NUMBER',
  scannerEarly: '正规邮件服务器不会这样：是扫描器或垃圾邮件程序。',
  makeAddress: '如需该地址，请创建：postern account add {address}，或 postern alias add {address} TARGET。',
  lookupCheck: '“postern lookup check”会说明是哪个表及原因；发送方会重试，尽快修复就不会丢失邮件。',
  noRelay:
    '我们只接收自己域名的邮件。如果 {domain} 应属于我们：postern domain add {domain}。如果是我们的用户，其邮件程序须登录并使用端口 465 或 587。',
  theDomain: '该域名',
  mailboxFull: '请删除邮件，或提高配额：postern account quota {address} 5G。',
  aliasLoop: '地址循环转发：请在本端和对端检查“postern alias list”。',
  grantAddress:
    '如果该账户可以使用此地址：postern account grant {login} ADDRESS（若由查询表决定，则在表中添加规则）。',
  sendLimit:
    '此限制用于防范密码被盗。如果不是本人：postern account suspend {login}。如果是，请等待，或在 postern.toml 中提高限制。',
  banned:
    '参见“postern ban list”。如果是自己人：用列出的内容执行 postern ban lift；自己的网段：postern ban exempt add NETWORK。',
  bannedAccount: '有人从多处猜测密码；账户熟悉的位置不受影响。要立即允许新位置：postern ban lift {login}。',
  suspended: '恢复账户：postern account resume {login}。',
  newPassword: '如果是本人，请重设密码：postern account passwd {login}。否则是有人在猜测，已被拒绝。',
  wholeAddress: '请使用完整邮件地址登录。如果不是自己人，则是有人在猜测，已被拒绝。',
  turnTlsOn: '请在邮件程序中启用加密（端口 587 用 STARTTLS，或端口 465 用 TLS）。',
  turnAuthOn: '请在邮件程序中启用身份验证：完整地址及其密码。',
  tooLarge: '限制在 postern.toml（limits）中；多数其他服务器也不超过 25 至 50 MB。',
  makeRoom: '请腾出磁盘空间：“postern status”会显示剩余量。',
  tooMany: '发送方会自行重试。如果是您的网段达到限制，请在 postern.toml 中提高。',
  scanner: '正规邮件服务器不会这样：是扫描器或垃圾邮件程序。无需处理。',
  brokenProgram: '发送程序严重违反 SMTP 规则，无法放行；须由其开发者修复。',
  noCommonTls: '双方没有共同的加密方式，或对方不接受证书：参见“postern status”。',
  silent: '对方没有了响应。如有需要会再来。',
  ourFailure: '这是我们的故障：服务器日志中有此时的详情。',
  onSuppression: '为维护信誉未发送。地址恢复后：postern suppression remove {address}',
  theirGreylist: '首次联系时常见（灰名单）：下次尝试很可能成功。',
  ourDns: '请比较 DNS 的现状与应有内容：postern domain records DOMAIN。',
  weAreListed: '我们的地址在垃圾邮件名单上：请查看答复中的链接，消除原因并申请移除。',
  theirCertificate:
    '要求加密，但对方没有与其名称相符的证书：须由其管理员（若是中继，则检查 postern.toml 的 relay.host）解决。',
  port25: '如果所有域名都这样，说明服务商封锁了出站端口 25：请申请开放，或通过中继发送。',
  noDns: '此服务器不查询 DNS（试用模式）：只能通过中继发送（--relay HOST:PORT）。',
  resolver: '域名服务器没有响应：请检查本机的 /etc/resolv.conf。',
  domainTypo: '请检查 @ 之后的部分是否写错。',
  addressTypo: '对方没有该地址：请检查是否写错。',
} satisfies Texts<typeof en>;
