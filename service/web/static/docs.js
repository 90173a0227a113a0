const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
// The library leaves out the second level of headings; links within its buttons (deepLinking) would be two controls in one.
const levelHeadings = () => document.querySelectorAll(".opblock-tag, .models h4").forEach((tag) => tag.setAttribute("aria-level", "2"));
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", docExpansion: "list", validatorUrl: null, onComplete: levelHeadings });
