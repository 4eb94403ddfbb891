import express, { type Router } from 'express';
import { getAbsoluteFSPath } from 'swagger-ui-dist';

/**
 * `/docs`: a page that takes a token in a form, loads /openapi.json with it and tries endpoints with it. The page itself
 * holds nothing, so it needs no token; the token stays in the page's memory.
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
<form id="sign-in" style="font-family: sans-serif; padding: 1rem">
<label>Token <input id="token" type="password" autocomplete="off" required size="50"></label>
<button>Show the API</button>
<span id="problem" role="alert"></span>
</form>
<div id="docs"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</body>
</html>
`;

const SCRIPT = `
document.getElementById('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const authorization = 'Bearer ' + document.getElementById('token').value.trim();
  const problem = document.getElementById('problem');
  problem.textContent = '';
  try {
    const answer = await fetch('/openapi.json', { headers: { authorization } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    SwaggerUIBundle({
      spec: body,
      dom_id: '#docs',
      requestInterceptor(request) {
        request.headers.Authorization = authorization;
        return request;
      },
    });
  } catch (error) {
    problem.textContent = error.message;
  }
});
`;
