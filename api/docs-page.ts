import express, { type Router } from 'express';
import { getAbsoluteFSPath } from 'swagger-ui-dist';

/**
 * `/docs`: a page that takes a token in a form, loads /openapi.json with it and tries endpoints with it. The page itself holds
 * nothing, so it needs no token. A token that was accepted is kept in the tab's sessionStorage, so that it survives a reload and
 * ends with the tab: in no URL, no cookie and no localStorage, and it is sent to this server alone.
 */
export function serveDocs(): Router {
  const router = express.Router();
  router.get('/', (_request, response) => {
    response.type('html').send(PAGE);
  });
  router.get('/docs.js', (_request, response) => {
    response.type('js').send(SCRIPT);
  });
  router.use('/assets', express.static(getAbsoluteFSPath(), { index: false, maxAge: '1h' }));
  return router;
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Defib API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div style="font-family: sans-serif; padding: 1rem">
<form id="sign-in">
<label>Token <input id="token" type="password" autocomplete="off" required size="50"></label>
<button>Show the API</button>
</form>
<button id="forget" hidden>Forget the token</button>
<span id="problem" role="alert"></span>
</div>
<div id="docs"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</body>
</html>
`;

const SCRIPT = `
const KEPT_AS = 'defib-token';
const form = document.getElementById('sign-in');
const field = document.getElementById('token');
const forget = document.getElementById('forget');
const problem = document.getElementById('problem');

form.addEventListener('submit', (event) => {
  event.preventDefault();
  show(field.value.trim());
});
forget.addEventListener('click', () => {
  sessionStorage.removeItem(KEPT_AS);
  location.reload();
});
const kept = sessionStorage.getItem(KEPT_AS);
if (kept !== null) show(kept);

async function show(token) {
  problem.textContent = '';
  const authorization = 'Bearer ' + token;
  try {
    const answer = await fetch('/openapi.json', { headers: { authorization } });
    const body = await answer.json();
    if (answer.status === 401) sessionStorage.removeItem(KEPT_AS);
    if (!answer.ok) throw new Error(body.error);
    sessionStorage.setItem(KEPT_AS, token);
    field.value = '';
    form.hidden = true;
    forget.hidden = false;
    SwaggerUIBundle({
      spec: body,
      dom_id: '#docs',
      requestInterceptor(request) {
        const isOurs = new URL(request.url, location.href).origin === location.origin;
        if (isOurs) request.headers.Authorization = authorization;
        return request;
      },
    });
  } catch (error) {
    problem.textContent = error.message;
  }
}
`;
