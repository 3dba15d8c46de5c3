/** How messages look that say nothing about it; colours as in tokens.css, which does not reach into their document. */
export const FRAME_CSS = `
html{overflow:hidden;color-scheme:light}
html.day{background:#fff;color:#1c1b19}
html.night{background:#1c1f24;color:#eceae6;color-scheme:dark}
body{margin:0;padding:2px;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere;min-height:0;height:auto}
html.paper body{padding:12px}
img{max-width:100%}
img:not([height]){height:auto}
table{max-width:100%}
td,th{overflow-wrap:break-word}
td.postern-long,th.postern-long{overflow-wrap:anywhere}
pre{white-space:pre-wrap}
a{color:#17594a}
html.night a{color:#8fdcc6}
blockquote{margin:4px 0 4px 2px;padding-inline-start:10px;border-inline-start:3px solid #cfcabf}
html.night blockquote{border-color:#454b55}
.postern-blocked{display:inline-block;min-width:16px;min-height:16px;background:#f2f0ec;outline:1px dashed #cfcabf;outline-offset:-1px}
html.night .postern-blocked{background:#24282e;outline-color:#454b55}
.postern-quote{margin-top:8px}
.postern-quote>summary{display:inline-block;list-style:none;padding:0 10px;border-radius:99px;background:#f2f0ec;color:#5b574f;cursor:pointer;line-height:1.3}
html.night .postern-quote>summary{background:#32373f;color:#a9aeb6}
a[data-postern-warning]{display:inline!important;float:none!important;overflow:visible!important;max-width:none!important;opacity:1!important}
a[data-postern-warning]::after{content:" (" attr(data-postern-warning) ")"!important;display:inline!important;visibility:visible!important;color:#b3261e!important;background:#fff!important;font:bold 13px system-ui,sans-serif!important;letter-spacing:normal!important;word-spacing:normal!important;text-transform:none!important;text-shadow:none!important}
summary:focus-visible,a:focus-visible{outline:2px solid #1f6f5c;outline-offset:2px}
@media print{html,html.night{background:#fff;color:#000;color-scheme:light}}
`;
